import type { Sql, Statements } from './client.js'
import { type Orm, ormOn } from './orm.js'

declare const inTransaction: unique symbol

/** An open transaction. Opaque: a verb passes it on, only a store looks inside. */
export type Tx = { readonly [inTransaction]: true }

/** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
export type Transact = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>

type Handles = { readonly sql: Statements; readonly orm: Orm }

/** Hot statements and Drizzle share the transaction's connection, so they are committed and rolled back together. */
export function createTransact(sql: Sql): Transact {
  return async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const run = (transaction: Statements): Promise<T> => {
      const handles: Handles = { sql: transaction, orm: ormOn(transaction) }
      return work(handles as unknown as Tx)
    }
    return (await sql.begin(run)) as T
  }
}

/** Drizzle inside a transaction, for stores. */
export function ormOf(tx: Tx): Orm {
  return (tx as unknown as Handles).orm
}

/** Written-out statements inside a transaction, for stores. */
export function sqlOf(tx: Tx): Statements {
  return (tx as unknown as Handles).sql
}
