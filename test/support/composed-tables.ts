import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { getTableColumns, getTableName, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import type { Sql } from '../../src/db/client.js'

/** A column as the database itself describes it. */
export type CatalogColumn = {
  readonly table: string
  readonly column: string
  /** As `format_type` writes it. */
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
}

/** Every column of every table of the schema, partitions and the record of migrations left out. */
export async function readCatalog(sql: Sql): Promise<CatalogColumn[]> {
  const rows = await sql<CatalogColumn[]>`
    select class.relname as table, attname as column, replace(format_type(atttypid, atttypmod), ', ', ',') as type,
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

/** Every table that `src/db/tables` declares. */
export async function readDeclaredTables(): Promise<PgTable[]> {
  const folder = new URL('../../src/db/tables/', import.meta.url)
  const modules: Record<string, unknown>[] = []
  for (const name of await readdir(folder)) modules.push(await import(new URL(name, folder).href))
  return modules.flatMap((module) => Object.values(module)).filter((value): value is PgTable => is(value, PgTable))
}

/** Columns that only one of the two has, or that the two have differently. */
export function columnDifferences(catalog: readonly CatalogColumn[], declared: readonly PgTable[]): string[] {
  const inDatabase = catalog.map(lineOf)
  const inCode = declared.flatMap((table) =>
    Object.values(getTableColumns(table)).map((column) =>
      lineOf({
        ...{ table: getTableName(table), column: column.name, type: column.getSQLType().replace(', ', ',') },
        ...{ notNull: column.notNull, hasDefault: column.hasDefault },
      }),
    ),
  )
  const missing = inDatabase.filter((line) => !inCode.includes(line)).map((line) => `only in the database: ${line}`)
  const strange = inCode.filter((line) => !inDatabase.includes(line)).map((line) => `only in the code: ${line}`)
  return [...missing, ...strange]
}

const lineOf = ({ table, column, type, notNull, hasDefault }: CatalogColumn) =>
  `${table}.${column} ${type}${notNull ? ' not null' : ''}${hasDefault ? ' default' : ''}`

/** Words that columns with a list of allowed ones take. */
const ALLOWED: Readonly<Record<string, string>> = {
  'alias_history.action': 'set',
  'alias_revisions.kind': 'write',
  'budgets.period': 'day',
  'project_keys.role': 'write',
  'receipts.kind': 'stored',
  'reprice_jobs.status': 'done',
  'usage_rollups.grain': 'quarter',
  'usage_logs.cost_status': 'reported',
}

/** A row of a project in a table, whatever its columns are, and what shows that it was exported. */
export async function insertMarkedRow(sql: Sql, catalog: readonly CatalogColumn[], table: string, projectId: string) {
  const columns = catalog.filter((column) => column.table === table)
  const marks = { text: `mark-of-${table}`, number: String(7_000_000 + catalog.indexOf(columns[0] as CatalogColumn)) }
  const values = columns.map(({ column, type }) => {
    if (column === 'project_id') return projectId
    if (column === 'revoked_at') return null
    return ALLOWED[`${table}.${column}`] ?? markedValue(type, marks)
  })
  const names = columns.map(({ column }) => column).join(', ')
  const places = columns.map(({ type }, index) => `$${index + 1}::text::${type}`).join(', ')
  await sql.unsafe(`insert into ${table} (${names}) values (${places})`, values)
  return marks
}

function markedValue(type: string, marks: { readonly text: string; readonly number: string }): string {
  if (type === 'uuid') return randomUUID()
  if (type === 'text') return marks.text
  if (type === 'smallint[]' || type === 'integer[]' || type === 'bigint[]') return '{1}'
  if (type === 'text[]') return `{${marks.text}}`
  if (type === 'jsonb' || type === 'json') return JSON.stringify({ mark: marks.text })
  if (type === 'bytea') return `\\x${Buffer.from(`${marks.text} ${randomUUID()}`).toString('hex')}`
  if (type === 'timestamp with time zone') return new Date().toISOString()
  if (type === 'boolean') return 'true'
  return marks.number
}

/** The tables that still have rows of a project. */
export async function tablesWithRows(sql: Sql, tables: readonly string[], projectId: string): Promise<string[]> {
  const filled: string[] = []
  for (const table of tables) {
    const [row] = await sql`select 1 from ${sql(table)} where project_id = ${projectId} limit 1`
    if (row !== undefined) filled.push(table)
  }
  return filled
}
