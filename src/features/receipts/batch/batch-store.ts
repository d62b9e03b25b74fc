import type { ProjectId } from '../../../access/principal.js'
import type { Tile } from '../../../core/tlog/index.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'

/** Where a batch is: ids are the project's own. */
export type BatchIdentity = { readonly projectId: ProjectId; readonly receiptId: string }
/** How far a project's calls are certified; `generation` goes up with every batch. */
export type Coverage = { readonly generation: number } & { readonly [Mark in keyof Settled]: Settled[Mark] | null }
/**
 * All calls with a time before the one are certified, and all that came to this service before the other: late calls
 * have an early time, so by their times alone all of three years would be looked at again.
 */
export type Settled = { readonly settledUntil: Date; readonly arrivedUntil: Date }
export type BatchMember = { readonly position: number; readonly logId: string }
type TileAddress = Pick<Tile, 'level' | 'index'>

export type BatchStore = ReturnType<typeof createBatchStore>

/** What is certified. */
export function createBatchStore(sql: Sql) {
  return {
    coverage: async (projectId: ProjectId): Promise<Coverage> => {
      const [row] = await sql<Coverage[]>`
        select generation::float8 as generation, settled_until as "settledUntil", arrived_until as "arrivedUntil"
        from receipt_coverage where project_id = ${projectId}`
      return row ?? { generation: 0, settledUntil: null, arrivedUntil: null }
    },

    certified: (projectId: ProjectId, logIds: readonly string[]) => certified(sql, projectId, logIds),

    /** How many a receipt certifies: undefined if no sealed batch has that id. */
    countMembers: async ({ projectId, receiptId }: BatchIdentity): Promise<number | undefined> => {
      const [row] = await sql<{ count: number }[]>`
        select member_count as count from receipt_batches
        where project_id = ${projectId} and receipt_id = ${receiptId} and sealed_at is not null`
      return row?.count
    },

    members: async (batch: BatchIdentity, from: number, rowsMax: number): Promise<readonly BatchMember[]> => sql<
      BatchMember[]
    >`
      select position, log_id as "logId" from receipt_members
      where project_id = ${batch.projectId} and receipt_id = ${batch.receiptId} and position >= ${from}
      order by position limit ${rowsMax}`,

    /** Undefined where the batch does not certify the call. */
    positionOf: async ({ projectId, receiptId }: BatchIdentity, logId: string): Promise<number | undefined> => {
      const [row] = await sql<{ position: number }[]>`
        select position from receipt_members
        where project_id = ${projectId} and log_id = ${logId}::uuid and receipt_id = ${receiptId}`
      return row?.position
    },

    /** Null where there is no such tile. */
    readTiles: (batch: BatchIdentity, tiles: readonly TileAddress[]) => readTiles(sql, batch, tiles),
  }
}

/**
 * Those of a project's calls that a sealed batch certifies. A join with the ids, and no comparison with all of them: while
 * a first large batch is written the planner knows of no members yet, and if it reads them all, a join reads them once
 * and the comparison a thousand times.
 */
async function certified(sql: Sql, projectId: ProjectId, logIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<{ logId: string }[]>`
    select member.log_id as "logId" from unnest(${arrayText(logIds)}::text::uuid[]) as wanted (log_id)
    join receipt_members as member on member.project_id = ${projectId} and member.log_id = wanted.log_id
    join receipt_batches as batch on batch.project_id = member.project_id and batch.receipt_id = member.receipt_id
    where batch.project_id = ${projectId} and batch.sealed_at is not null`
  return new Set(rows.map(({ logId }) => logId))
}

async function readTiles(
  sql: Sql,
  batch: BatchIdentity,
  tiles: readonly TileAddress[],
): Promise<(Uint8Array | null)[]> {
  const rows = await sql<(TileAddress & { hashes: Uint8Array })[]>`
    select level, index, hashes from receipt_member_tiles
    where project_id = ${batch.projectId} and receipt_id = ${batch.receiptId} and (level, index) in (
      select * from unnest(${arrayText(tiles.map(({ level }) => level))}::text::integer[],
        ${arrayText(tiles.map(({ index }) => index))}::text::integer[]))`
  const found = new Map(rows.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]))
  return tiles.map(({ level, index }) => found.get(`${level}/${index}`) ?? null)
}
