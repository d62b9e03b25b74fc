import { and, asc, eq, gt } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { eraseRows } from '../../db/erase-rows.js'
import type { Orm } from '../../db/orm.js'
import { budgetCrossings, budgetHeads, budgets } from '../../db/tables/budgets.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import type { ExportedPage } from '../contract.js'
import type { Budget, BudgetList, BudgetPeriod, Crossing } from './budget.js'

export type BudgetStore = ReturnType<typeof createBudgetStore>

export function createBudgetStore({ sql, orm }: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    list: (projectId: ProjectId) => listBudgets(orm, projectId),
    listCrossings: (projectId: ProjectId, at: Date) => listCrossings(orm, projectId, at),
    lockList,
    replace,
    remove,
    eraseChunk: (projectId: ProjectId, rowsMax: number) => eraseChunk(sql, projectId, rowsMax),
    exportHead: (projectId: ProjectId) => exportHead(sql, projectId),
    exportBudgets: (projectId: ProjectId) => exportBudgets(sql, projectId),
    exportCrossings: (projectId: ProjectId, after: string | null, rowsMax: number) =>
      exportCrossings(sql, projectId, after, rowsMax),
  }
}

/** One statement: the list is of one edition. Without any it is of edition 0. */
async function listBudgets(orm: Orm, projectId: ProjectId): Promise<BudgetList> {
  const rows = await orm
    .select()
    .from(budgetHeads)
    .leftJoin(budgets, eq(budgets.projectId, budgetHeads.projectId))
    .where(eq(budgetHeads.projectId, projectId))
    .orderBy(asc(budgets.place))
  const head = rows[0]?.budget_heads
  const found = rows.flatMap((row) => (row.budgets === null ? [] : [budgetOf(row.budgets)]))
  return { edition: head?.edition ?? 0, checkedAt: head?.checkedAt ?? null, budgets: found }
}

/** A CHECK of the table lets no other period in. */
const budgetOf = ({ period, ...row }: typeof budgets.$inferSelect): Budget => ({
  ...row,
  period: period as BudgetPeriod,
})

/** Of the periods that are not over, the lowest threshold first. */
async function listCrossings(orm: Orm, projectId: ProjectId, at: Date): Promise<Crossing[]> {
  const rows = await orm
    .select()
    .from(budgetCrossings)
    .where(and(eq(budgetCrossings.projectId, projectId), gt(budgetCrossings.periodEnd, at)))
    .orderBy(asc(budgetCrossings.threshold))
  return rows.map(({ budgetId, periodStart, periodEnd, ...rest }) => {
    const period = { fromMs: periodStart.getTime(), untilMs: periodEnd.getTime() }
    return { ...rest, budgetId, period }
  })
}

/** Begins another edition, and gives the budgets of the one before. Until the transaction ends no other one can begin. */
async function lockList(tx: Tx, projectId: ProjectId, keyId: string | null, at: Date): Promise<readonly Budget[]> {
  const begun = await sqlOf(tx)`
    insert into budget_heads (project_id, edition, key_id, set_at) values (${projectId}, 1, ${keyId}, ${at})
    on conflict (project_id) do update set edition = budget_heads.edition + 1, key_id = excluded.key_id,
      set_at = excluded.set_at, seen = null`
  confirmCompleted(begun, 'INSERT', 1)
  return (await listBudgets(ormOf(tx), projectId)).budgets
}

/** Replaces the budgets. What was crossed goes with its budget. */
async function replace(tx: Tx, projectId: ProjectId, next: readonly Budget[]): Promise<void> {
  const [inTx, ids] = [sqlOf(tx), arrayText(next.map(({ id }) => id))]
  confirmCompleted(await inTx`delete from budgets where project_id = ${projectId}`, 'DELETE')
  const gone = await inTx`
    delete from budget_crossings where project_id = ${projectId} and budget_id <> all (${ids}::text::uuid[])`
  confirmCompleted(gone, 'DELETE')
  if (next.length === 0) return
  const rows = next.map((budget, place) => ({ ...budget, thresholds: [...budget.thresholds], projectId, place }))
  confirmCompleted(await ormOf(tx).insert(budgets).values(rows), 'INSERT', rows.length)
}

/** Answers how many there were. The head stays, with another edition: a check that is under way finds that. */
async function remove(tx: Tx, projectId: ProjectId): Promise<number> {
  const inTx = sqlOf(tx)
  const ended = await inTx`update budget_heads set edition = edition + 1, seen = null where project_id = ${projectId}`
  confirmCompleted(ended, 'UPDATE')
  const gone = confirmCompleted(await inTx`delete from budgets where project_id = ${projectId}`, 'DELETE')
  confirmCompleted(await inTx`delete from budget_crossings where project_id = ${projectId}`, 'DELETE')
  return gone.count
}

async function eraseChunk(sql: Sql, projectId: ProjectId, rowsMax: number): Promise<number> {
  const heads = confirmCompleted(await sql`delete from budget_heads where project_id = ${projectId}`, 'DELETE')
  const some = confirmCompleted(await sql`delete from budgets where project_id = ${projectId}`, 'DELETE')
  const key = ['budget_id', 'period_start', 'threshold'] as const
  return heads.count + some.count + (await eraseRows(sql, { table: 'budget_crossings', key, projectId, rowsMax }))
}

async function exportHead(sql: Sql, projectId: ProjectId): Promise<ExportedPage> {
  const rows = await sql<{ text: string }[]>`
    select row_to_json(head)::text as text from budget_heads as head where project_id = ${projectId}`
  return { rows: rows.map(({ text }) => text), next: null }
}

/** As many as a project may have are few. */
async function exportBudgets(sql: Sql, projectId: ProjectId): Promise<ExportedPage> {
  const rows = await sql<{ text: string }[]>`
    select row_to_json(budget)::text as text from budgets as budget where project_id = ${projectId} order by place`
  return { rows: rows.map(({ text }) => text), next: null }
}

async function exportCrossings(
  sql: Sql,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const [budget = '', seconds = '0', threshold = '0'] = (after ?? '').split('/')
  const behind = sql`and (budget_id, period_start, threshold) >
    (${budget}::uuid, to_timestamp(${seconds}::float8), ${threshold}::integer)`
  const rows = await sql<{ text: string; place: string }[]>`
    select row_to_json(one)::text as text,
      concat_ws('/', budget_id::text, extract(epoch from period_start)::text, threshold::text) as place
    from budget_crossings as one where project_id = ${projectId} ${after === null ? sql`` : behind}
    order by budget_id, period_start, threshold limit ${rowsMax}`
  const last = rows.length < rowsMax ? undefined : rows.at(-1)
  return { rows: rows.map(({ text }) => text), next: last?.place ?? null }
}
