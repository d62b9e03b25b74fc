import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { RECEIPT_LIMITS } from '../limits.js'

/** A place in a project's chain: the receipt, or null for one that was erased, and its entry. */
export type ChainLink = { readonly seq: number; readonly canonical: Uint8Array | null; readonly entry: Uint8Array }

export type ReadLinks = (projectId: ProjectId, fromSeq: number, rowsMax: number) => Promise<readonly ChainLink[]>

/**
 * By `seq`, from one on; a page's bytes at most, but one receipt at least. Erased ones stand where they were.
 */
export function createAuditStore(sql: Sql): ReadLinks {
  return async (projectId, fromSeq, rowsMax) => sql<ChainLink[]>`
    with page as materialized (
      (select seq, canonical, entry, octet_length(canonical) as large from receipts
        where project_id = ${projectId} and seq >= ${fromSeq} order by seq limit ${rowsMax})
      union all
      (select seq, null, entry, 0 from receipt_erasures
        where project_id = ${projectId} and seq >= ${fromSeq} order by seq limit ${rowsMax})
      order by seq limit ${rowsMax}
    ), sized as (
      select *, sum(large) over (order by seq) - large as before from page
    )
    select seq::float8 as seq, canonical, entry from sized
    where before <= ${RECEIPT_LIMITS.pageBytesMax} - large or before = 0
    order by sized.seq`
}
