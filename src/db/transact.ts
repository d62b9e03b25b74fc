import { deadline } from '../platform/deadline.js'
import type { Sql, Statements } from './client.js'
import { DATABASE_LIMITS } from './limits.js'
import { type Orm, ormOn } from './orm.js'
import { QueryTimedOut } from './waiting.js'

declare const inTransaction: unique symbol

/** An open transaction. Opaque: a verb passes it on, only a store looks inside. */
export type Tx = { readonly [inTransaction]: true }

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. After `msMax` milliseconds
 * (default 15 s, less than a request has) it rejects, and what became of the transaction is not known.
 */
export type Transact = <T>(work: (tx: Tx) => Promise<T>, msMax?: number) => Promise<T>

type Handles = { readonly sql: Statements; readonly orm: Orm }

/** Hot statements and Drizzle share the transaction's connection, so they are committed and rolled back together. */
export function createTransact(sql: Sql): Transact {
  return async <T>(work: (tx: Tx) => Promise<T>, msMax: number = DATABASE_LIMITS.transactionMsMax): Promise<T> => {
    const run = (transaction: Statements): Promise<T> => {
      limit(sql, transaction, msMax)
      const handles: Handles = { sql: transaction, orm: ormOn(transaction) }
      return work(handles as unknown as Tx)
    }
    return (await deadline(sql.begin(run), msMax, () => new QueryTimedOut())) as T
  }
}

/**
 * Makes the server end the session once the transaction has lasted `msMax`. Its other limits do not hold while it has
 * half of a statement's messages and waits for the rest: a client that is lost just then would keep its locks until TCP
 * notices. PostgreSQL 15 and 16 have no such limit; there the keepalives of `createClient` have to do.
 */
function limit(sql: Sql, transaction: Statements, msMax: number): void {
  if (Number.parseInt(String(sql.parameters['server_version']), 10) < 17) return
  // Not waited for: it goes out before the first statement. Its failure is the transaction's, which rejects for it.
  transaction.unsafe(`set local transaction_timeout = ${msMax}`).catch(() => undefined)
}

/** Drizzle inside a transaction, for stores. */
export function ormOf(tx: Tx): Orm {
  return (tx as unknown as Handles).orm
}

/** Written-out statements inside a transaction, for stores. */
export function sqlOf(tx: Tx): Statements {
  return (tx as unknown as Handles).sql
}
