import { and, asc, desc, eq, isNull, ne, sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { eraseRows } from '../../db/erase-rows.js'
import { groupedInsert } from '../../db/grouped-insert.js'
import type { Orm } from '../../db/orm.js'
import { receiptKeys, receipts } from '../../db/tables/receipts.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import { RECEIPT_COLUMNS } from './columns.js'
import { RECEIPT_LIMITS } from './limits.js'
import { createExportStore, createListStore } from './list-store.js'
import type { KeptReceipt, NewReceipt, ReceiptIdentity, ShownReceipt } from './receipt.js'

export type KeyRow = {
  readonly keyId: string
  readonly publicKey: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date | null
}

export type ReceiptStore = ReturnType<typeof createReceiptStore>
export type KeyStore = ReturnType<typeof createKeyStore>

/** Serialises the registration of keys, so that of two new ones exactly one is the newest. */
const KEYS_LOCK = 'llmring receipt keys'

const insertRows = groupedInsert(receipts, RECEIPT_COLUMNS)
const FIND = `select project_id as "projectId", id, kind, request_sha256 as "requestSha256", canonical from receipts
  where (project_id, id) in (
    select project_id, id from unnest($1::text::uuid[], $2::text::text[]) as wanted (project_id, id))`

export function createReceiptStore(db: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    listPage: createListStore(db.sql),
    exportPage: createExportStore(db.sql),

    /** For projects whose chains are locked in this transaction. An id that is taken fails the statement. */
    insert: async (tx: Tx, rows: readonly NewReceipt[]): Promise<void> => {
      confirmCompleted(await insertRows(sqlOf(tx), rows), 'INSERT', rows.length)
    },

    /** What is at these places: of projects whose chains are locked in this transaction, that stays so. */
    findMany: async (
      tx: Tx,
      identities: readonly ReceiptIdentity[],
    ): Promise<readonly (ReceiptIdentity & KeptReceipt)[]> => {
      const wanted = [
        arrayText(identities.map(({ projectId }) => projectId)),
        arrayText(identities.map(({ id }) => id)),
      ]
      const found = await sqlOf(tx).unsafe<(ReceiptIdentity & KeptReceipt)[]>(FIND, wanted, { prepare: true })
      return confirmCompleted(found, 'SELECT', found.length)
    },

    find: async ({ projectId, id }: ReceiptIdentity): Promise<ShownReceipt | undefined> => {
      const [row] = await db.sql<ShownReceipt[]>`
        select id, legacy_rule as "legacyRule", canonical from receipts where project_id = ${projectId} and id = ${id}`
      return row
    },

    findEntry: async ({ projectId, id }: ReceiptIdentity): Promise<Uint8Array | undefined> => {
      const [row] = await db.sql<{ entry: Buffer }[]>`
        select entry from receipts where project_id = ${projectId} and id = ${id}`
      return row?.entry
    },

    /** Deletes at most `rowsMax` of a project's receipts, and after the last one its chain, and says how many rows. */
    eraseChunk: async (projectId: ProjectId, rowsMax: number): Promise<number> => {
      const count = await eraseRows(db.sql, { table: 'receipts', key: ['id'], projectId, rowsMax })
      if (count > 0) return count
      return confirmCompleted(await db.sql`delete from receipt_chains where project_id = ${projectId}`, 'DELETE').count
    },
  }
}

export function createKeyStore(orm: Orm) {
  return {
    /** Newest first. */
    list: (): Promise<KeyRow[]> =>
      orm
        .select()
        .from(receiptKeys)
        .orderBy(desc(receiptKeys.notBefore), asc(receiptKeys.keyId))
        .limit(RECEIPT_LIMITS.keysListedMax),

    /** Until the transaction ends, no other instance registers a key. */
    lock: async (tx: Tx): Promise<void> => {
      await ormOf(tx).execute(sql`select pg_advisory_xact_lock(hashtextextended(${KEYS_LOCK}, 0))`)
    },

    find: async (tx: Tx, keyId: string): Promise<KeyRow | undefined> => {
      const [row] = await ormOf(tx).select().from(receiptKeys).where(eq(receiptKeys.keyId, keyId))
      return row
    },

    /** The key that has not ended; the last one that did, if all have; undefined if none ever signed. */
    newest: async (tx: Tx): Promise<KeyRow | undefined> => {
      const [row] = await ormOf(tx)
        .select()
        .from(receiptKeys)
        .orderBy(sql`${receiptKeys.notAfter} desc nulls first`, desc(receiptKeys.notBefore))
        .limit(1)
      return row
    },

    insert: async (tx: Tx, key: KeyRow): Promise<void> => {
      confirmCompleted(await ormOf(tx).insert(receiptKeys).values(key), 'INSERT', 1)
    },

    /** Ends every key but one that has not ended yet. */
    endOthers: async (tx: Tx, keyId: string, at: Date): Promise<void> => {
      const ended = await ormOf(tx)
        .update(receiptKeys)
        .set({ notAfter: at })
        .where(and(ne(receiptKeys.keyId, keyId), isNull(receiptKeys.notAfter)))
      confirmCompleted(ended, 'UPDATE')
    },
  }
}
