import type { LogPromise } from '../../core/proof/index.js'
import type { Tx } from '../../db/transact.js'

/** What receipts need of the transparency log. */
export type ReceiptLog = {
  /**
   * In the caller's transaction, after the chains are locked: entries (32 bytes) become pending leaves in this order.
   * Throws `log-suspended` while the log refuses.
   */
  readonly append: (tx: Tx, entries: readonly Uint8Array[]) => Promise<void>
  /** Throws `log-suspended` while nothing may be signed. */
  readonly refuseWhileSuspended: () => void
  /** True once a published checkpoint covers the entry; false at the deadline, in milliseconds, or when aborted. */
  readonly waitLogged: (entry: Uint8Array, msMax: number, signal?: AbortSignal) => Promise<boolean>
  /** Where it is in the tree of the newest checkpoint (a note), with its inclusion proof; null if it is not yet. */
  readonly prove: (entry: Uint8Array) => Promise<LoggedEntry | null>
  /** The newest published checkpoint, to prove many entries against; null while there is none. */
  readonly snapshot: () => Promise<LogSnapshot | null>
  /** What a receipt says of the log. */
  readonly promise: LogPromise
}

export type LoggedEntry = {
  readonly index: number
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: Uint8Array
}

export type LogSnapshot = {
  /** A signed note. */
  readonly checkpoint: Uint8Array
  /** Who signs it, as c2sp.org/tlog-policy writes it. */
  readonly policy: string
  /** For each entry its place in the checkpoint's tree, with the proof; null if the checkpoint does not cover it. */
  readonly prove: (
    entries: readonly Uint8Array[],
  ) => Promise<readonly ({ readonly index: number; readonly proof: readonly Uint8Array[] } | null)[]>
}
