import type { ProjectId } from '../../access/principal.js'
import type { Tx } from '../../db/transact.js'

/** What an alias means, but for its name. The JSON columns are texts. */
export type Meaning = {
  readonly models: readonly string[]
  readonly constraints: string | null
  readonly metadata: string | null
}

/** One alias that differs between what is bound and what shall be; null where it is not bound. */
export type Difference = {
  readonly profile: string
  readonly alias: string
  readonly before: Meaning | null
  readonly after: (Meaning & { readonly place: number | null }) | null
}

/** What this feature needs of whatever writes aliases: one transaction, one revision, none where nothing changes. */
export type Publish = (request: {
  readonly writer: { readonly projectId: ProjectId; readonly keyId: string | null }
  readonly kind: 'undo' | 'promote'
  readonly note: string | undefined
  /** Nothing is written if one of the profiles changed after this revision. */
  readonly expected: { readonly revision: number; readonly profiles: readonly string[] } | undefined
  readonly plan: (tx: Tx, head: { readonly revision: number }) => Promise<Plan>
}) => Promise<{ readonly changed: boolean; readonly revision: number; readonly lockDigest: string | undefined }>

type Plan = {
  readonly set: readonly { readonly profile: string; readonly alias: string; readonly content: string }[]
  readonly remove: readonly { readonly profile: string; readonly alias: string }[]
}

/** The writes that make the differences go away. */
export function planOf(differences: readonly Difference[]): Plan {
  const set = []
  const remove = []
  for (const { profile, alias, after } of differences) {
    if (after === null) remove.push({ profile, alias })
    else set.push({ profile, alias, content: contentOf(after) })
  }
  return { set, remove }
}

function contentOf({ models, constraints, metadata, place }: NonNullable<Difference['after']>): string {
  const rest = place === null ? '' : `,"place":${place}`
  return `{"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'},"metadata":${metadata ?? 'null'}${rest}}`
}

export type Changed = {
  readonly changed: boolean
  readonly revision: number
  readonly lockDigest: string | undefined
  readonly differences: readonly Difference[]
}
