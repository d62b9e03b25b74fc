import type { ReadTiles } from '../../core/tlog/index.js'
import { arrayText } from '../../db/array-text.js'
import { confirmRow } from '../../db/confirm.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import { invariant } from '../../platform/invariant.js'
import { type StoredTile, selectTiles } from './tile-store.js'
import type { TreeHead } from './tree-head.js'

/** One session of the whole database sequences at a time; the lock ends with its transaction. */
const SEQUENCE_LOCK = 'llmring log sequence'

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** False if another session has the lock. */
export async function tryLockSequence(tx: Tx): Promise<boolean> {
  const rows = await sqlOf(tx)<{ locked: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtextextended(${SEQUENCE_LOCK}, 0)) as locked`
  return confirmRow(rows).locked
}

/** Waits until no other session has the lock. */
export async function lockSequence(tx: Tx): Promise<void> {
  confirmRow(await sqlOf(tx)`select pg_advisory_xact_lock(hashtextextended(${SEQUENCE_LOCK}, 0))`)
}

/** The tree as it is committed, and whether its head has been signed. */
export async function readHead(tx: Tx): Promise<TreeHead & { readonly noted: boolean }> {
  const rows = await sqlOf(tx)<{ size: string; root: Buffer; noted: boolean }[]>`
    select size, root, exists (
      select from log_checkpoints where log_checkpoints.size = log_head.size and log_checkpoints.root = log_head.root
    ) as noted from log_head`
  const { size, root, noted } = confirmRow(rows)
  return { size: Number(size), root, noted }
}

/**
 * Takes the first pending leaves that are visible, in the order of their ids. What was pending with a lower id and is
 * committed later gets a later index.
 */
export async function takePending(tx: Tx, leavesMax: number): Promise<readonly Uint8Array[]> {
  const rows = await sqlOf(tx)<{ entry: Buffer }[]>`
    with taken as (
      delete from log_pending where id in (select id from log_pending order by id limit ${leavesMax})
      returning id, entry
    )
    select entry from taken order by id`
  return rows.map(({ entry }) => entry)
}

export function readTilesIn(tx: Tx, tiles: readonly { readonly level: number; readonly index: number }[]) {
  return selectTiles(sqlOf(tx), tiles)
}

/** Reads tiles as the transaction sees them. */
export function readerIn(tx: Tx): ReadTiles {
  return async (wanted) => {
    const found = new Map((await readTilesIn(tx, wanted)).map((tile) => [placeOf(tile), tile.hashes]))
    return wanted.map((tile) => found.get(placeOf(tile)) ?? null)
  }
}

const placeOf = ({ level, index }: { readonly level: number; readonly index: number }): string => `${level}/${index}`

/**
 * Writes the entries behind those that are there, the tiles that grew, and the new head over the old one, in one
 * statement. Throws if the head is not the old one any more.
 */
export async function extendTree(
  tx: Tx,
  from: TreeHead,
  to: TreeHead,
  entries: readonly Uint8Array[],
  tiles: readonly StoredTile[],
): Promise<void> {
  const rows = await sqlOf(tx)<{ entries: number; tiles: number; heads: number }[]>`
    with new_entries as (
      insert into log_entries (index, entry)
      select ${from.size}::bigint + position - 1, decode(entry, 'hex')
      from unnest(${arrayText(entries.map(hexOf))}::text::text[]) with ordinality as input (entry, position)
      returning 1
    ), new_tiles as (
      insert into log_tiles (level, index, hashes)
      select level, index, decode(hashes, 'hex') from unnest(
        ${arrayText(tiles.map(({ level }) => level))}::text::smallint[],
        ${arrayText(tiles.map(({ index }) => index))}::text::bigint[],
        ${arrayText(tiles.map(({ hashes }) => hexOf(hashes)))}::text::text[]
      ) as input (level, index, hashes)
      on conflict (level, index) do update set hashes = excluded.hashes
        where octet_length(log_tiles.hashes) < octet_length(excluded.hashes)
      returning 1
    ), new_head as (
      update log_head set size = ${to.size}, root = decode(${hexOf(to.root)}, 'hex')
      where size = ${from.size} and root = decode(${hexOf(from.root)}, 'hex')
      returning 1
    )
    select (select count(*) from new_entries)::int as entries, (select count(*) from new_tiles)::int as tiles,
      (select count(*) from new_head)::int as heads`
  const written = confirmRow(rows)
  const isWhole = written.entries === entries.length && written.tiles === tiles.length && written.heads === 1
  invariant(isWhole, 'a chunk extends the head that was read, and each of its tiles grows')
}
