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

type LogPromise = { readonly origin: string; readonly max_merge_delay_seconds: 60 }
