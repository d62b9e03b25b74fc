import type { ProjectId } from '../../access/principal.js'
import type { Tx } from '../../db/transact.js'

export type Writer = { readonly projectId: ProjectId; readonly keyId: string | null }
export type Head = { readonly revision: number; readonly lastPlace: number }

/** What a lockfile shall hold beside its bindings: a header as `headerText` writes it, and its `updated_at`. */
type WantedLock = { readonly header: string; readonly updatedAt: string }

/** `content`: `models`, `constraints` and `place` as the text of a JSON object that keeps the metadata there is. */
export type WantedBinding = { readonly profile: string; readonly alias: string; readonly content: string }
export type AliasName = { readonly profile: string; readonly alias: string }

/** What this feature needs of whatever writes aliases: one transaction, one revision, none if nothing changes. */
export type Publish = (request: {
  readonly writer: Writer
  readonly kind: 'lockfile'
  readonly note: string | undefined
  /** Nothing is written if one of the profiles (none: any) changed after this revision. */
  readonly expected: { readonly revision: number; readonly profiles: readonly string[] } | undefined
  readonly plan: (tx: Tx, head: Head) => Promise<Plan>
}) => Promise<Published>

export type Plan = {
  readonly set?: readonly WantedBinding[]
  readonly remove?: readonly AliasName[]
  readonly lock?: WantedLock
}

type Published = {
  readonly changed: boolean
  readonly revision: number
  readonly lockDigest: string | undefined
}
