import type { Binaries } from './binaries.js'
import type { Place } from './place.js'

/** A cluster that can be started: where it is, what runs it, how to get in. */
export type House = { readonly place: Place; readonly binaries: Binaries; readonly password: string }

/** On what conditions a Postgres is wanted. */
export type Terms = {
  /** The port that it must be on; undefined: any. */
  readonly port: number | undefined
  readonly lockWaitMsMax: number
  readonly spawnAttemptsMax: number
  readonly signal?: AbortSignal
}
