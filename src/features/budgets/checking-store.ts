import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import type { Crossing } from './budget.js'
import { BUDGET_LIMITS } from './limits.js'

export type CheckingStore = ReturnType<typeof createCheckingStore>
/** When a project's budgets were checked last, and what usage was there. */
export type CheckedHead = {
  readonly projectId: ProjectId
  readonly checkedAt: Date | null
  readonly seen: string | null
}

/** What instances that check share. */
export function createCheckingStore(sql: Sql) {
  return {
    /** Heads of projects, by their ids. */
    pageOfHeads: (after: ProjectId | null, rowsMax: number): Promise<readonly CheckedHead[]> =>
      sql<CheckedHead[]>`
        select project_id as "projectId", checked_at as "checkedAt", seen from budget_heads
        ${after === null ? sql`` : sql`where project_id > ${after}`} order by project_id limit ${rowsMax}`,
    lockEdition,
    addCrossings,
    markChecked,
    countReached: (at: Date) => countReached(sql, at),
  }
}

/** The edition that is in force; undefined if there is none. Until the transaction ends no other one can begin. */
async function lockEdition(tx: Tx, projectId: ProjectId): Promise<number | undefined> {
  const [head] = await sqlOf(tx)<{ edition: number }[]>`
    select edition from budget_heads where project_id = ${projectId} for update`
  return head?.edition
}

/** Adds those that are not there yet, and answers which they are, by their places in the list. */
async function addCrossings(tx: Tx, projectId: ProjectId, found: readonly Crossing[]): Promise<ReadonlySet<number>> {
  if (found.length === 0) return new Set()
  const inTx = sqlOf(tx)
  const texts = (of: (one: Crossing) => string | number) => arrayText(found.map(of))
  const iso = (ms: number) => new Date(ms).toISOString()
  const added = await inTx<{ budgetId: string; start: Date; threshold: number }[]>`
    insert into budget_crossings (project_id, budget_id, period_start, threshold, period_end, crossed_at, spent)
    select ${projectId}::uuid, * from unnest(
      ${texts((one) => one.budgetId)}::text::uuid[], ${texts(({ period }) => iso(period.fromMs))}::text::timestamptz[],
      ${texts((one) => one.threshold)}::text::integer[], ${texts(({ period }) => iso(period.untilMs))}::text::timestamptz[],
      ${texts((one) => one.crossedAt.toISOString())}::text::timestamptz[], ${texts((one) => one.spent)}::text::numeric[])
    on conflict do nothing returning budget_id as "budgetId", period_start as start, threshold`
  confirmCompleted(added, 'INSERT', added.length)
  await forgetOld(tx, projectId, found)
  const nameOf = (...parts: readonly (string | number)[]) => parts.join(' ')
  const fresh = new Set(added.map((one) => nameOf(one.budgetId, one.start.getTime(), one.threshold)))
  const isFresh = (one: Crossing) => fresh.has(nameOf(one.budgetId, one.period.fromMs, one.threshold))
  return new Set(found.flatMap((one, index) => (isFresh(one) ? [index] : [])))
}

/** Of periods that are long over. */
async function forgetOld(tx: Tx, projectId: ProjectId, found: readonly Crossing[]): Promise<void> {
  const newest = Math.max(...found.map(({ crossedAt }) => crossedAt.getTime()))
  const before = new Date(newest - BUDGET_LIMITS.crossingsKeptMs)
  const old = await sqlOf(tx)`
    delete from budget_crossings where project_id = ${projectId} and period_end < ${before}`
  confirmCompleted(old, 'DELETE')
}

type Checked = { readonly at: Date; readonly seen: string }

/** The caller holds the lock of the head. */
async function markChecked(tx: Tx, projectId: ProjectId, { at, seen }: Checked): Promise<void> {
  const marked = await sqlOf(tx)`
    update budget_heads set checked_at = ${at}, seen = ${seen} where project_id = ${projectId}`
  confirmCompleted(marked, 'UPDATE', 1)
}

/** The budgets of all projects by the share of them that was noticed as spent, in periods that are not over. */
async function countReached(sql: Sql, at: Date): Promise<Readonly<Record<string, number>>> {
  const rows = await sql<{ reached: string; budgets: number }[]>`
    select case when top is null then 'none' when top < 50 then 'below_50' when top < 80 then '50' when top < 100 then '80'
      else '100' end as reached, count(*)::integer as budgets
    from budgets left join (
      select project_id, budget_id, max(threshold) as top from budget_crossings where period_end > ${at}
      group by project_id, budget_id
    ) as crossed on crossed.project_id = budgets.project_id and crossed.budget_id = budgets.id
    group by 1`
  return Object.fromEntries(rows.map(({ reached, budgets }) => [reached, budgets]))
}
