import type { Sql } from './client.js'
import { DATABASE_LIMITS } from './limits.js'

export type Month = { readonly year: number; readonly month: number }

/**
 * Sees to it that a table that is partitioned by month (UTC) has a partition for the month of `nowMs` and for the
 * `monthsAhead` after it; answers the names of those it made. Safe with several instances, in any schema.
 *
 * A partition is made as a table and then attached: that takes SHARE UPDATE EXCLUSIVE on the parent, so writers go on,
 * where CREATE TABLE … PARTITION OF would wait for all of them and keep new ones waiting behind it.
 */
export async function ensureMonthlyPartitions(
  sql: Sql,
  table: string,
  nowMs: number,
  monthsAhead = 2,
): Promise<string[]> {
  const now = new Date(nowMs)
  const wanted = Array.from({ length: monthsAhead + 1 }, (_, ahead) =>
    monthAt(now.getUTCFullYear(), now.getUTCMonth() + ahead),
  )
  const missing = await withoutAttached(sql, table, wanted)
  if (missing.length === 0) return []
  // Crash before the commit: nothing was made, the next call starts over.
  return sql.begin(async (transaction) => {
    const tx = transaction as unknown as Sql
    await tx`select set_config('lock_timeout', ${String(DATABASE_LIMITS.partitionLockMsMax)}, true)`
    await tx`select pg_advisory_xact_lock(hashtextextended('llmring-partitions:' || current_schema(), 0))`
    const stillMissing = await withoutAttached(tx, table, missing)
    for (const month of stillMissing) await attach(tx, table, month)
    return stillMissing.map((month) => nameOf(table, month))
  })
}

async function withoutAttached(sql: Sql, table: string, months: readonly Month[]): Promise<Month[]> {
  const attached = await sql<{ name: string }[]>`
    select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = ${table}::text::regclass`
  const names = new Set(attached.map(({ name }) => name))
  return months.filter((month) => !names.has(nameOf(table, month)))
}

async function attach(tx: Sql, table: string, month: Month): Promise<void> {
  const parent = tx(table)
  const partition = tx(nameOf(table, month))
  // Attaching makes the indexes that the parent has. A table of this name that was made but never attached is taken.
  await tx`create table if not exists ${partition} (like ${parent} including all excluding indexes)`
  const from = boundOf(month)
  const until = boundOf(monthAt(month.year, month.month))
  await tx.unsafe(
    `alter table "${table}" attach partition "${nameOf(table, month)}" for values from ('${from}') to ('${until}')`,
  )
}

/** `monthIndex` counts from 0 and may run past December, or back before January. */
export function monthAt(year: number, monthIndex: number): Month {
  return { year: year + Math.floor(monthIndex / 12), month: (((monthIndex % 12) + 12) % 12) + 1 }
}

export function nameOf(table: string, { year, month }: Month): string {
  return `${table}_${String(year).padStart(4, '0')}_${String(month).padStart(2, '0')}`
}

function boundOf({ year, month }: Month): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-01 00:00:00+00`
}
