import { AppError } from '../../platform/errors.js'
import { type Changed, type Difference, type Publish, planOf } from './change.js'
import type { HistoryStore } from './store.js'

export type RollbackDeps = { readonly publish: Publish; readonly store: Pick<HistoryStore, 'differencesFrom'> }
export type RollbackInput = {
  readonly writer: Parameters<Publish>[0]['writer']
  readonly toRevision: number
  /** Undefined: all of them. */
  readonly profile: string | undefined
  readonly expectedRevision: number | undefined
  readonly note: string | undefined
  readonly dryRun: boolean
}

/**
 * Binds everything as it was at a revision: a new revision, and the history keeps what was between. Throws
 * `validation-failed` for a revision that never was, and `conflict` if too much metadata would change at once.
 */
export async function rollback({ publish, store }: RollbackDeps, input: RollbackInput): Promise<Changed> {
  const { writer, toRevision, profile, expectedRevision: expected, note, dryRun } = input
  let differences: readonly Difference[] = []
  const published = await publish({
    ...{ writer, note, kind: 'undo' },
    expected:
      expected === undefined ? undefined : { revision: expected, profiles: profile === undefined ? [] : [profile] },
    plan: async (tx, head) => {
      if (toRevision > head.revision) throw new AppError('validation-failed', futureDetail(head.revision), FUTURE)
      differences = await store.differencesFrom(tx, writer.projectId, { revision: toRevision, profile })
      return dryRun ? { set: [], remove: [] } : planOf(differences)
    },
  })
  return { ...published, differences }
}

const futureDetail = (revision: number) =>
  `The project is at revision ${revision}: there is none above it to go back to.`
const FUTURE = { errors: [{ pointer: '/to_revision', message: 'must not be above the revision that holds' }] }
