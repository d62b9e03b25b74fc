import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import type { ExportedPage } from '../contract.js'
import type { ExportedReceipt, ReadExportPage, ReadPage, ReceiptPosition } from './list-store.js'
import type { ReceiptIdentity, ReceiptPage, ShownReceipt } from './receipt.js'
import type { ReceiptStore } from './store.js'

export type PageInput = { readonly projectId: ProjectId; readonly limit: number; readonly offset: number }

/** A receipt as it was signed, with its mark. Throws `not-found` where it is missing or another project's. */
export async function findReceipt(store: Pick<ReceiptStore, 'find'>, identity: ReceiptIdentity): Promise<ShownReceipt> {
  const receipt = await store.find(identity)
  if (receipt === undefined) throw new AppError('not-found', 'There is no such receipt.')
  return receipt
}

/**
 * `{receipts, total, limit, offset, legacy}` as bytes, put together out of the signed ones: no number is written anew.
 * Whole if they fit into a page, otherwise in pieces, so that large receipts neither hold the event loop nor fill the
 * memory. Later pages go on behind the receipt before: what is stored meanwhile shifts nothing.
 */
export async function listReceipts(
  read: ReadPage,
  { projectId, limit, offset }: PageInput,
): Promise<Uint8Array | AsyncGenerator<Uint8Array>> {
  const first = await read(projectId, { rowsMax: limit, from: { offset } })
  const tail = { total: first.total, limit, offset }
  if (first.isLast) return Buffer.concat([HEAD, ...bytesOf(first), tailOf(tail, marksOf(first))])
  return pieces(first, tail, (behind, rowsMax) => read(projectId, { rowsMax, from: { behind } }))
}

type Tail = { readonly total: number; readonly limit: number; readonly offset: number }
type Mark = { readonly receipt_id: string; readonly rule: string }

async function* pieces(
  first: ReceiptPage,
  tail: Tail,
  readBehind: (position: ReceiptPosition, rowsMax: number) => Promise<ReceiptPage>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([HEAD, ...bytesOf(first)])
  const marked = marksOf(first)
  let page = first
  let left = tail.limit - first.receipts.length
  let last = first.receipts.at(-1)
  while (left > 0 && last !== undefined) {
    // Twice what fitted: looking at all the rest for every page would be work for each page again.
    page = await readBehind(last, Math.min(left, 2 * page.receipts.length))
    if (page.receipts.length > 0) yield Buffer.concat([COMMA, ...bytesOf(page)])
    marked.push(...marksOf(page))
    left -= page.receipts.length
    last = page.receipts.at(-1)
  }
  yield tailOf(tail, marked)
}

const HEAD = Buffer.from('{"receipts":[')
const COMMA = Buffer.from(',')
const bytesOf = ({ receipts }: ReceiptPage): Uint8Array[] =>
  receipts.flatMap(({ canonical }, at) => (at === 0 ? [canonical] : [COMMA, canonical]))
const marksOf = ({ receipts }: ReceiptPage): Mark[] =>
  receipts.flatMap(({ id, legacyRule: rule }) => (rule === null ? [] : [{ receipt_id: id, rule }]))

function tailOf({ total, limit, offset }: Tail, legacy: readonly Mark[]): Buffer {
  return Buffer.from(`],"total":${total},"limit":${limit},"offset":${offset},"legacy":${JSON.stringify(legacy)}}`)
}

/** A page of what a project keeps, by id. `canonical` is the text that was signed: parsing it would reorder members. */
export async function exportReceipts(
  read: ReadExportPage,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const { receipts, isLast } = await read(projectId, after, rowsMax)
  const last = isLast && receipts.length < rowsMax ? undefined : receipts.at(-1)
  return { rows: receipts.map(exported), next: last?.id ?? null }
}

function exported({ id, kind, keyId, storedAt, legacyRule, canonical }: ExportedReceipt): string {
  const text = Buffer.from(canonical.buffer, canonical.byteOffset, canonical.byteLength).toString('utf8')
  const marks = { id, kind, key_id: keyId, stored_at: storedAt.toISOString(), legacy_rule: legacyRule }
  return JSON.stringify({ ...marks, canonical: text })
}
