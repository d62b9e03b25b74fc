import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { RECEIPT_LIMITS } from './limits.js'
import type { NewReceipt, ReceiptPage, ShownReceipt } from './receipt.js'

/** Where a receipt stands in the list: its time as Postgres writes it, to the microsecond. */
export type ReceiptPosition = { readonly storedAt: string; readonly id: string }
type ListQuery = {
  readonly rowsMax: number
  /** Rows to skip, or the row to go on behind. */
  readonly from: { readonly offset: number } | { readonly behind: ReceiptPosition }
}
export type ExportedReceipt = ShownReceipt & Pick<NewReceipt, 'kind' | 'keyId'> & { readonly storedAt: Date }
export type ReadExportPage = (
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
) => Promise<{ readonly receipts: readonly ExportedReceipt[]; readonly isLast: boolean }>
export type ReadPage = (projectId: ProjectId, query: ListQuery) => Promise<ReceiptPage>

type Row = { readonly total: number; readonly held: number | null } & ReceiptPosition & ShownReceipt

/**
 * Newest first, at most `rowsMax` receipts and one page's bytes (but one receipt at least). Postgres knows the size of
 * a receipt without reading it, so what does not fit is not even read. The page from an offset and its total are of one
 * snapshot; a page behind a row does not count, and its total is 0.
 */
export function createListStore(sql: Sql): ReadPage {
  return async (projectId, { rowsMax, from }) => {
    const isCounted = 'offset' in from
    const total = isCounted
      ? sql`select count(*)::float8 as total from receipts where project_id = ${projectId}`
      : sql`select 0::float8 as total`
    const later = isCounted
      ? sql``
      : sql`and (stored_at, id) < (${from.behind.storedAt}::text::timestamptz, ${from.behind.id})`
    const rows = await sql<(Row | { total: number; held: null; id: null })[]>`
      with page as materialized (
        select id, legacy_rule, canonical, stored_at, octet_length(canonical) as large from receipts
        where project_id = ${projectId} ${later}
        order by stored_at desc, id desc limit ${rowsMax} offset ${isCounted ? from.offset : 0}
      ), sized as (
        select *, sum(large) over (order by stored_at desc, id desc) - large as before, count(*) over () as held from page
      )
      select counted.total, fitting.held::float8 as held, fitting.id, fitting.stored_at::text as "storedAt",
        fitting.legacy_rule as "legacyRule", fitting.canonical
      from (${total}) as counted
      left join (
        select * from sized where before <= ${RECEIPT_LIMITS.pageBytesMax} - large or before = 0
      ) as fitting on true
      order by fitting.stored_at desc, fitting.id desc`
    const receipts = rows.flatMap((row) => (row.id === null ? [] : [row]))
    return { total: rows[0]?.total ?? 0, receipts, isLast: receipts.length === (receipts[0]?.held ?? 0) }
  }
}

/** By id, after one of them: the order of the primary key, which does not move. Bounded as the list is. */
export function createExportStore(sql: Sql): ReadExportPage {
  return async (projectId, after, rowsMax) => {
    const receipts = await sql<(ExportedReceipt & { readonly held: number })[]>`
      with page as materialized (
        select *, octet_length(canonical) as large from receipts
        where project_id = ${projectId} ${after === null ? sql`` : sql`and id > ${after}`}
        order by id limit ${rowsMax}
      ), sized as (
        select *, sum(large) over (order by id) - large as before, count(*) over () as held from page
      )
      select id, kind, key_id as "keyId", stored_at as "storedAt", legacy_rule as "legacyRule", canonical, held::float8 as held
      from sized where before <= ${RECEIPT_LIMITS.pageBytesMax} - large or before = 0
      order by id`
    return { receipts, isLast: receipts.length === (receipts[0]?.held ?? 0) }
  }
}
