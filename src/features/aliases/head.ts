import type { AliasKey, Writer } from './alias.js'

/** A project's revision, the counters beside it, and the epoch in which they count. */
export type Head = {
  readonly epoch: string
  readonly revision: number
  readonly lastId: number
  readonly lastPlace: number
  readonly aliasCount: number
  readonly metadataBytes: number
  readonly namesBytes: number
}

/** A binding that a write changed, as a lockfile holds it. `constraints` is JSON text. */
export type WrittenBinding = {
  readonly profile: string
  readonly alias: string
  readonly models: readonly [string, ...string[]]
  readonly constraints: string | null
  readonly place: number
}
export type Removed = { readonly head: Head; readonly keys: readonly Pick<AliasKey, 'profile' | 'alias'>[] }

/** Who writes, at which head, and when. */
export type Step = { readonly writer: Writer; readonly head: Head; readonly at: Date }
/** What a statement added to a head's bytes. */
export type Sums = { readonly metadata_bytes: string; readonly names_bytes: string }

/** A head with what a statement added to its sums, and so many aliases. */
export function added(head: Head, sums: Sums, count: number): Head {
  return {
    ...head,
    lastId: head.lastId + Math.max(count, 0),
    aliasCount: head.aliasCount + count,
    metadataBytes: head.metadataBytes + Number(sums.metadata_bytes),
    namesBytes: head.namesBytes + Number(sums.names_bytes),
  }
}
