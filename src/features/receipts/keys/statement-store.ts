import { asc, eq } from 'drizzle-orm'
import { confirmCompleted } from '../../../db/confirm.js'
import type { Orm } from '../../../db/orm.js'
import { logStatements } from '../../../db/tables/log.js'
import { ormOf, type Tx } from '../../../db/transact.js'
import { RECEIPT_LIMITS } from '../limits.js'

/** The statements of new keys. */
export function createStatementStore(orm: Orm) {
  return {
    insertStatement: async (tx: Tx, statement: typeof logStatements.$inferInsert): Promise<void> => {
      confirmCompleted(await ormOf(tx).insert(logStatements).values(statement), 'INSERT', 1)
    },

    /** The canonical texts of the statements of new keys, oldest first. */
    listStatements: async (): Promise<string[]> => {
      const rows = await orm
        .select({ canonical: logStatements.canonical })
        .from(logStatements)
        .where(eq(logStatements.kind, 'key-statement/v1'))
        .orderBy(asc(logStatements.statedAt))
        .limit(RECEIPT_LIMITS.keysListedMax)
      return rows.map(({ canonical }) => Buffer.from(canonical).toString('utf8'))
    },
  }
}
