import type { Sql } from '../../src/db/client.js'

/** A column as the database itself describes it. */
export type CatalogColumn = {
  readonly table: string
  readonly column: string
  /** As `format_type` writes it, without blanks. */
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
}

/** Every column of every table of the schema, partitions and the record of migrations left out. */
export async function readCatalog(sql: Sql): Promise<CatalogColumn[]> {
  const rows = await sql<CatalogColumn[]>`
    select class.relname as table, attname as column, replace(format_type(atttypid, atttypmod), ' ', '') as type,
      attnotnull as "notNull", atthasdef as "hasDefault"
    from pg_class as class join pg_attribute on attrelid = class.oid and attnum > 0 and not attisdropped
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname <> 'schema_migrations'
    order by 1, attnum`
  return [...rows]
}

/** The tables with a `project_id`: what belongs to projects. */
export function tablesOfProjects(catalog: readonly CatalogColumn[]): string[] {
  return catalog.filter(({ column }) => column === 'project_id').map(({ table }) => table)
}
