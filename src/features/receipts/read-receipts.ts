import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import type { ReceiptPlace, ShownReceipt } from './receipt.js'
import type { ReceiptStore } from './store.js'

export type PageInput = { readonly projectId: ProjectId; readonly limit: number; readonly offset: number }

/** A receipt as it was signed, with its mark. Throws `not-found` where it is missing or another project's. */
export async function findReceipt(store: Pick<ReceiptStore, 'find'>, place: ReceiptPlace): Promise<ShownReceipt> {
  const receipt = await store.find(place)
  if (receipt === undefined) throw new AppError('not-found', 'There is no such receipt.')
  return receipt
}

/** `{receipts, total, limit, offset, legacy}` as bytes, put together out of the signed ones: no number is written anew. */
export async function listReceipts(store: Pick<ReceiptStore, 'page'>, input: PageInput): Promise<Uint8Array> {
  const { projectId, limit, offset } = input
  const page = await store.page(projectId, limit, offset)
  const comma = Buffer.from(',')
  const receipts = page.receipts.flatMap(({ canonical }, at) => (at === 0 ? [canonical] : [comma, canonical]))
  const marked = page.receipts.flatMap(({ id, legacyRule: rule }) => (rule === null ? [] : [{ receipt_id: id, rule }]))
  const tail = `],"total":${page.total},"limit":${limit},"offset":${offset},"legacy":${JSON.stringify(marked)}}`
  return Buffer.concat([Buffer.from('{"receipts":['), ...receipts, Buffer.from(tail)])
}

/** A page of what a project keeps, by id. `canonical` is the text that was signed: parsing it would reorder members. */
export async function exportReceipts(
  store: Pick<ReceiptStore, 'pageAfter'>,
  projectId: ProjectId,
  after: string | null,
  limit: number,
): Promise<{ readonly rows: readonly object[]; readonly next: string | null }> {
  const rows = await store.pageAfter(projectId, after, limit)
  return {
    rows: rows.map((row) => ({
      ...{ id: row.id, kind: row.kind, key_id: row.keyId, stored_at: row.storedAt.toISOString() },
      legacy_rule: row.legacyRule,
      canonical: Buffer.from(row.canonical).toString('utf8'),
    })),
    next: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
  }
}
