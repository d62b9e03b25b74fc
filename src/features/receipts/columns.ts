import type { RowColumns } from '../../db/grouped-insert.js'
import type { receipts } from '../../db/tables/receipts.js'
import type { NewReceipt } from './receipt.js'

/** What of a receipt is stored where. */
export const RECEIPT_COLUMNS: RowColumns<typeof receipts, NewReceipt> = {
  projectId: (receipt) => receipt.projectId,
  id: (receipt) => receipt.id,
  kind: (receipt) => receipt.kind,
  keyId: (receipt) => receipt.keyId,
  requestSha256: (receipt) => receipt.requestSha256,
  canonical: (receipt) => receipt.canonical,
  storedAt: (receipt) => new Date(receipt.storedAt).toISOString(),
  legacyRule: (receipt) => receipt.legacyRule,
  seq: (receipt) => receipt.seq,
  entry: (receipt) => receipt.entry,
}
