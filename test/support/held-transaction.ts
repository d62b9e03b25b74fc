import type { Sql, Statements } from '../../src/db/client.js'

/** Does `work` in a transaction that stays open, and keeps its locks, until the function that comes back is called. */
export async function holdTransaction(
  sql: Sql,
  work: (tx: Statements) => Promise<unknown>,
): Promise<() => Promise<void>> {
  let letGo: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let transaction: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    transaction = sql.begin(async (tx) => {
      await tx`set local idle_in_transaction_session_timeout = 0`
      await work(tx)
      resolve()
      await released
    })
    transaction.catch(reject)
  })
  return async () => {
    letGo()
    await transaction
  }
}
