import type { Orm } from './client.js'

declare const inTransaction: unique symbol

/** An open transaction. Opaque: a verb passes it on, only a store looks inside. */
export type Tx = { readonly [inTransaction]: true }

/** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
export type Transact = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>

export function createTransact(orm: Orm): Transact {
  return (work) => orm.transaction((transaction) => work(transaction as unknown as Tx))
}

/** The database behind a `Tx`, for stores. */
export function within(tx: Tx): Orm {
  return tx as unknown as Orm
}
