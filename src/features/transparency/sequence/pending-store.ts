import { arrayText } from '../../../db/array-text.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { sqlOf, type Tx } from '../../../db/transact.js'

/**
 * Writes entries down as pending, in this order. Their ids are taken here, so whoever holds a lock that orders entries
 * has to hold it already.
 */
export async function insertPending(tx: Tx, entries: readonly Uint8Array[]): Promise<void> {
  if (entries.length === 0) return
  const texts = arrayText(entries.map((entry) => Buffer.from(entry).toString('hex')))
  const inserted = await sqlOf(tx)`
    insert into log_pending (entry, pending_since)
    select decode(entry, 'hex'), clock_timestamp()
    from unnest(${texts}::text::text[]) with ordinality as input (entry, position) order by position`
  confirmCompleted(inserted, 'INSERT', entries.length)
}
