import { confirmCompleted } from '../../db/confirm.js'
import { logStatements } from '../../db/tables/log.js'
import { ormOf, type Tx } from '../../db/transact.js'

export type Statement = {
  readonly entry: Uint8Array
  readonly kind: string
  readonly canonical: Uint8Array
  readonly statedAt: Date
}

/** Writes down what the log's keepers state. */
export async function insertStatement(tx: Tx, statement: Statement): Promise<void> {
  confirmCompleted(await ormOf(tx).insert(logStatements).values(statement), 'INSERT', 1)
}
