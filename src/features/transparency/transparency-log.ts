import type { Tx } from '../../db/transact.js'

/** What whoever signs needs of the log. */
export type TransparencyLog = {
  /** In the caller's transaction: entries (32 bytes) become pending leaves in this order. Throws `log-suspended`. */
  readonly append: (tx: Tx, entries: readonly Uint8Array[]) => Promise<void>
  /** Throws `log-suspended` while nothing may be signed. */
  readonly refuseWhileSuspended: () => void
  /** True once a published checkpoint covers the entry, false after `msMax` milliseconds or when the signal is given. */
  readonly waitLogged: (entry: Uint8Array, msMax: number, signal?: AbortSignal) => Promise<boolean>
  /** Where the entry is in the newest published checkpoint; null while it is in none. */
  readonly prove: (entry: Uint8Array) => Promise<EntryProof | null>
  /** The newest published checkpoint, to prove many entries against; null while there is none. */
  readonly snapshot: () => Promise<LogSnapshot | null>
  readonly origin: string
  /** What a receipt says of its log. */
  readonly promise: LogPromise
}

/** `checkpoint` is a signed note. */
export type EntryProof = {
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
  readonly prove: (entries: readonly Uint8Array[]) => Promise<readonly (Omit<EntryProof, 'checkpoint'> | null)[]>
}

type LogPromise = { readonly origin: string; readonly max_merge_delay_seconds: 60 }
