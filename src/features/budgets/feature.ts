import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { every } from '../../platform/every.js'
import { createIds } from '../../platform/ids.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Feature } from '../contract.js'
import type { Spending } from './budget.js'
import { checkBudgets } from './check-budgets.js'
import { checkProject, type Tell } from './check-project.js'
import { createCheckingStore } from './checking-store.js'
import { createBudgetGauge } from './count-budgets.js'
import { BUDGET_LIMITS } from './limits.js'
import { putBudgets } from './put-budgets.js'
import { renderBudget } from './render-budget.js'
import { mountBudgets } from './routes.js'
import { showBudgets } from './show-budgets.js'
import { createBudgetStore } from './store.js'

export type BudgetsDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly spending: Spending
  readonly tell: Tell
}

/** What projects mean to spend. Budgets inform; they block nothing. */
export function createBudgets(deps: BudgetsDeps) {
  const { clock, logger, spending, transact } = deps
  const store = { ...createBudgetStore(deps), ...createCheckingStore(deps.sql) }
  const newId = createIds()
  const stopping = new AbortController()
  const check = (projectId: ProjectId, seen: string) => checkProject({ ...deps, store }, projectId, seen)
  const sweep = () => checkBudgets({ store, marks: spending.marks, check, clock, stopping: stopping.signal })
  const report = createBudgetGauge(deps.metrics)
  const count = async () => report(await store.countReached(new Date(clock())))
  const { checkPauseMs, countPauseMs } = BUDGET_LIMITS
  const jobs = [
    every({ name: 'check the budgets', run: sweep, pauseMs: checkPauseMs, logger }),
    every({ name: 'count the budgets', run: count, pauseMs: countPauseMs, logger }),
  ]
  const show = (projectId: ProjectId) => showBudgets({ store, spending, clock }, projectId)
  const putting = { transact, store, isZone: spending.isZone, clock, newId: () => newId(clock()) }
  return {
    name: 'budgets',
    mount: (app, guards) =>
      mountBudgets(app, guards, {
        ...{ put: (input) => putBudgets(putting, input), show },
        remove: (projectId) => transact((tx) => store.remove(tx, projectId)),
      }),
    // Not waited for: what was recorded while no instance ran is checked while requests are answered.
    start: () => {
      for (const job of jobs) void job.start()
    },
    close: async () => {
      stopping.abort()
      await Promise.all(jobs.map((job) => job.stop()))
    },
    erase: store.eraseChunk,
    export: {
      budget_list: store.exportHead,
      budget: store.exportBudgets,
      budget_crossing: store.exportCrossings,
    },
    /** The budgets as they go over the wire, for what shows them beside sums. */
    render: async (projectId: ProjectId) => (await show(projectId)).map(renderBudget),
  } satisfies Feature & Record<string, unknown>
}
