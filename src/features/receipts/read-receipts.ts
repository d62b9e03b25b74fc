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
  return pieces(pieceOf(HEAD, first), tail, (behind, rowsMax) => read(projectId, { rowsMax, from: { behind } }))
}

type Tail = { readonly total: number; readonly limit: number; readonly offset: number }
type Mark = { readonly receipt_id: string; readonly rule: string }

async function* pieces(
  first: Piece,
  tail: Tail,
  readBehind: (position: ReceiptPosition, rowsMax: number) => Promise<ReceiptPage>,
): AsyncGenerator<Uint8Array> {
  yield first.bytes
  const marked = [...first.marks]
  let { count, behind } = first
  let left = tail.limit - count
  while (left > 0 && behind !== undefined) {
    // Twice what fitted: looking at all the rest for every page would be work for each page again.
    const piece = pieceOf(COMMA, await readBehind(behind, Math.min(left, 2 * count)))
    if (piece.count > 0) yield piece.bytes
    marked.push(...piece.marks)
    ;({ count, behind } = piece)
    left -= count
  }
  yield tailOf(tail, marked)
}

/** What a list keeps of a page while its reader takes it: not the receipts, which are in the bytes. */
type Piece = {
  readonly bytes: Buffer
  readonly marks: readonly Mark[]
  readonly count: number
  readonly behind: ReceiptPosition | undefined
}

function pieceOf(separator: Buffer, page: ReceiptPage): Piece {
  const last = page.receipts.at(-1)
  const behind = last === undefined ? undefined : { id: last.id, storedAt: last.storedAt }
  return {
    bytes: Buffer.concat([separator, ...bytesOf(page)]),
    marks: marksOf(page),
    count: page.receipts.length,
    behind,
  }
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
