import type { Statements } from '../client.js'

/** A table of the schema, with the columns that can be written. */
export type CatalogTable = {
  readonly name: string
  readonly columns: readonly string[]
  /** It has no rows of its own: they live in partitions. */
  readonly partitioned: boolean
}

/**
 * Every table of the current schema but the record of migrations. Partitions count as their parent's; a table that is
 * named like a partition is one that was just made or is about to be dropped, and does not count either.
 */
export async function listTables(sql: Statements): Promise<CatalogTable[]> {
  return await sql<CatalogTable[]>`
    select class.relname as name, class.relkind = 'p' as partitioned,
      json_agg(attribute.attname::text order by attribute.attnum) as columns
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0
      and not attribute.attisdropped and attribute.attgenerated = ''
    where namespace.nspname = current_schema() and class.relkind in ('r', 'p') and class.relpersistence = 'p'
      and not class.relispartition and class.relname <> 'schema_migrations'
      and not exists (
        select from pg_class as parent
        where parent.relnamespace = class.relnamespace and parent.relkind = 'p'
          and class.relname ~ ('^' || parent.relname || '_[a-z]?[0-9]'))
    group by class.oid
    order by class.relname`
}

/** Which of the tables have any row. */
export async function listFilled(sql: Statements, tables: readonly CatalogTable[]): Promise<string[]> {
  const filled: string[] = []
  for (const { name } of tables) {
    const [row] = await sql`select 1 from ${sql(name)} limit 1`
    if (row !== undefined) filled.push(name)
  }
  return filled
}

/** The first moment of every month that has rows in a table that is partitioned by month, as RFC 3339 in UTC. */
export async function listFilledMonths(sql: Statements, table: string): Promise<string[]> {
  const partitions = await sql<{ name: string; lower: Date | null }[]>`
    select child.relname as name,
      substring(pg_get_expr(child.relpartbound, child.oid) from $$^FOR VALUES FROM \\('([^']+)'\\)$$)::timestamptz as lower
    from pg_inherits
    join pg_class as child on child.oid = inhrelid
    where inhparent = ${table}::text::regclass
    order by child.relname`
  const months: string[] = []
  for (const { name, lower } of partitions) {
    const [row] = await sql`select 1 from ${sql(name)} limit 1`
    if (row !== undefined && lower !== null) months.push(lower.toISOString())
  }
  return months
}

/** An identifier for a statement that is put together as text. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
