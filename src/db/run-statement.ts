import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type postgres from 'postgres'
import { sqlOf, type Tx } from './transact.js'

const dialect = new PgDialect()

/**
 * Runs a statement of Drizzle's. Prepared, it is parsed and planned once for each connection, and takes one round trip
 * instead of two; without, it is planned for its values each time.
 */
export function runStatement(
  tx: Tx,
  statement: SQL,
  options: { readonly prepare: boolean },
): Promise<postgres.RowList<postgres.Row[]>> {
  const { sql: text, params } = dialect.sqlToQuery(statement)
  return Promise.resolve(sqlOf(tx).unsafe(text, params as postgres.ParameterOrJSON<never>[], options))
}
