import type { Sql } from '../../db/client.js'
import type { Feature } from '../contract.js'
import type { Publish } from './change.js'
import { createReadHistory } from './history-store.js'
import { type FindKeys, listHistory } from './list-history.js'
import { promote } from './promote.js'
import { rollback } from './rollback.js'
import { type HistoryVerbs, mountHistory } from './routes.js'
import { createHistoryStore } from './store.js'

export type HistoryDeps = {
  readonly sql: Sql
  readonly publish: Publish
  readonly findKeys: FindKeys
  readonly readNote: HistoryVerbs['readNote']
}

/** Who changed which alias, undoing it, and moving it from profile to profile. It holds nothing of its own. */
export function createHistory({ sql, publish, findKeys, readNote }: HistoryDeps) {
  const store = createHistoryStore(sql)
  const read = createReadHistory(sql)
  return {
    name: 'history',
    mount: (app, guards) =>
      mountHistory(app, guards, {
        list: (projectId, input) => listHistory({ read, findKeys }, projectId, input),
        profiles: store.listProfiles,
        rollback: (input) => rollback({ publish, store }, input),
        promote: (input) => promote({ publish, store }, input),
        readNote,
      }),
  } satisfies Feature
}
