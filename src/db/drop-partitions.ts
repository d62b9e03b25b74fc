import type { Sql } from './client.js'
import { monthAt, nameOf } from './partitions.js'

type OldTable = { readonly name: string; readonly status: 'attached' | 'pending' | 'detached' }

/** Another instance was faster: the partition is being detached, is none any more, or is gone. */
const ALREADY_DONE = new Set(['55000', '42P01'])

/**
 * Drops the monthly partitions (UTC) that lie more than `monthsKept` months before the month of `nowMs`; answers the
 * names of those that went, oldest first. A partition is detached concurrently, so that writers and readers of the
 * others go on, and dropped then. Safe with several instances, in any schema.
 *
 * Crash while it is detached: the next call finishes that. Crash before the drop: the next call finds the table by its
 * name and drops it.
 */
export async function dropMonthlyPartitions(
  sql: Sql,
  table: string,
  nowMs: number,
  monthsKept: number,
): Promise<string[]> {
  const now = new Date(nowMs)
  const oldestKept = nameOf(table, monthAt(now.getUTCFullYear(), now.getUTCMonth() - monthsKept))
  const gone: string[] = []
  for (const old of await listOld(sql, table, oldestKept)) if (await drop(sql, table, old)) gone.push(old.name)
  return gone
}

/** By their names, which have equal lengths: the order of texts is that of months. */
function listOld(sql: Sql, table: string, oldestKept: string): Promise<OldTable[]> {
  return sql<OldTable[]>`
    select c.relname as name,
      case when inhrelid is null then 'detached' when inhdetachpending then 'pending' else 'attached' end as status
    from pg_class c left join pg_inherits on inhrelid = c.oid and inhparent = ${table}::text::regclass
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
      and c.relname ~ ${`^${table}_\\d{4}_\\d{2}$`} and c.relname < ${oldestKept}
    order by 1`
}

async function drop(sql: Sql, table: string, { name, status }: OldTable): Promise<boolean> {
  const how = status === 'pending' ? 'finalize' : 'concurrently'
  try {
    // Not in a transaction: the statement itself needs two.
    if (status !== 'detached') await sql.unsafe(`alter table "${table}" detach partition "${name}" ${how}`)
    await sql.unsafe(`drop table "${name}"`)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && ALREADY_DONE.has(String(error.code))) return false
    throw error
  }
}
