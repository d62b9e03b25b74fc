import { AppError } from '../../platform/errors.js'
import { type Changed, type Difference, type Publish, planOf } from './change.js'
import type { HistoryStore } from './store.js'

export type PromoteDeps = {
  readonly publish: Publish
  readonly store: Pick<HistoryStore, 'differencesBetween' | 'unboundOf'>
}
export type PromoteInput = {
  readonly writer: Parameters<Publish>[0]['writer']
  readonly from: string
  readonly to: string
  /** Undefined: the whole profile, removals included. */
  readonly aliases: readonly string[] | undefined
  readonly expectedRevision: number | undefined
  readonly note: string | undefined
  readonly dryRun: boolean
}

/**
 * Makes a profile, or the named aliases of it, mean what another profile's mean. Throws `not-found` for a profile
 * without aliases (mirroring it would empty the other one) and for a name that is bound in neither, and `conflict` if too
 * much metadata would change at once.
 */
export async function promote({ publish, store }: PromoteDeps, input: PromoteInput): Promise<Changed> {
  const { writer, from, to, aliases, expectedRevision: expected, note, dryRun } = input
  if (from === to) throw new AppError('validation-failed', 'A profile cannot be promoted to itself.', SAME)
  let differences: readonly Difference[] = []
  const published = await publish({
    ...{ writer, note, kind: 'promote' },
    expected: expected === undefined ? undefined : { revision: expected, profiles: [from, to] },
    plan: async (tx) => {
      const missing = await store.unboundOf(tx, writer.projectId, { from, to, aliases })
      if (missing !== undefined) throw new AppError('not-found', missing)
      differences = await store.differencesBetween(tx, writer.projectId, { from, to, aliases })
      return dryRun ? { set: [], remove: [] } : planOf(differences)
    },
  })
  return { ...published, differences }
}

const SAME = { errors: [{ pointer: '/to', message: 'must be another profile' }] }
