import { PgDialect } from 'drizzle-orm/pg-core'
import { PostgresJsDatabase, PostgresJsSession } from 'drizzle-orm/postgres-js'
import type { Sql, Statements } from './client.js'

/** Drizzle without its own way into a transaction: there is one, `Transact`. */
export type Orm = Omit<PostgresJsDatabase, 'transaction'>

const dialect = new PgDialect()

/**
 * Drizzle on a client, or on an open transaction of one. `drizzle(client)` would change how the client reads and writes
 * dates and JSON for every other statement; Drizzle's columns understand what ours gives (see `createClient`), so both
 * share connections.
 */
export function ormOn(sql: Statements): Orm {
  const session = new PostgresJsSession(sql as Sql, dialect, undefined, {})
  return new PostgresJsDatabase(dialect, session, undefined)
}
