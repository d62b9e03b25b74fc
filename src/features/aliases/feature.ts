import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Notifications } from '../../db/notifications.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { App, Guards } from '../../http/endpoint.js'
import { monotonicClock, systemClock } from '../../platform/clock.js'
import { deleteAlias } from './delete-alias.js'
import { exportAliases, exportHistory } from './export-aliases.js'
import { resolveAlias } from './resolve-alias.js'
import { mountAliases } from './routes.js'
import { setAliases } from './set-aliases.js'
import { createSnapshots } from './snapshots.js'
import { createAliasStore } from './store.js'
import { warmResolve } from './warm-resolve.js'

export type AliasesDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly schema: string
  readonly notifications: Notifications
}

type Page = { readonly rows: readonly unknown[]; readonly next: string | null }

export type AliasesFeature = {
  mount(app: App, guards: Guards): void
  readonly eraseChunk: (projectId: ProjectId, rowsMax: number) => Promise<number>
  readonly exportAliases: (projectId: ProjectId, after: string | null) => Promise<Page>
  readonly exportHistory: (projectId: ProjectId, after: string | null) => Promise<Page>
}

const MESSAGE = /^alias (\S+) (\d+)$/

export function createAliases(deps: AliasesDeps): AliasesFeature {
  const store = createAliasStore(deps)
  const snapshots = createSnapshots({ load: store.loadProfile, ageMs: deps.notifications.ageMs, clock: monotonicClock })
  const writing = { transact: deps.transact, store, snapshots, clock: systemClock }
  deps.notifications.subscribe({
    onReset: snapshots.reset,
    onMessage: (message) => {
      const [, projectId, revision] = MESSAGE.exec(message) ?? []
      if (projectId !== undefined) snapshots.raiseFloor(projectId as ProjectId, Number(revision))
    },
  })
  return {
    mount: (app, guards) =>
      mountAliases(app, guards, {
        list: store.list,
        find: store.find,
        resolve: (key) => resolveAlias(snapshots, key),
        warmResolve: warmResolve(snapshots.cached),
        set: (writer, bindings) => setAliases(writing, writer, bindings),
        remove: (writer, key) => deleteAlias(writing, writer, key),
      }),
    eraseChunk: (projectId, rowsMax) => deps.transact((tx) => store.eraseChunk(tx, projectId, rowsMax)),
    exportAliases: (projectId, after) => exportAliases(store, projectId, after),
    exportHistory: (projectId, after) => exportHistory(store, projectId, after),
  }
}
