import { type ReadTiles, tileLevels } from '../../../core/tlog/index.js'
import { arrayText } from '../../../db/array-text.js'
import { confirmRow } from '../../../db/confirm.js'
import { sqlOf, type Tx } from '../../../db/transact.js'
import { invariant } from '../../../platform/invariant.js'
import { type StoredTile, selectTiles } from '../serve/tile-store.js'
import type { TreeHead } from '../tree-head.js'

/** One session of the whole database sequences at a time; the lock ends with its transaction. */
const SEQUENCE_LOCK = 'llmring log sequence'

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

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

/** A pending leaf. */
export type PendingLeaf = { readonly id: string; readonly entry: Uint8Array }

/** What a session finds that may number leaves now. */
export type SequenceTurn = {
  readonly head: TreeHead
  readonly noted: boolean
  /** The tiles at the right edge of the tree. */
  readonly tiles: readonly StoredTile[]
  /**
   * The first that are visible, in the order of their ids. What was pending with a lower id and is committed later gets a
   * later index.
   */
  readonly pending: readonly PendingLeaf[]
}

/**
 * Takes the lock and reads all that a turn needs, or nothing but the lock's state if another session has it: null then.
 * Sent together, because each answer waits for a turn of the event loop, which is slow to come while many issue; each
 * statement sees what is committed once it runs, so all but the first see what the lock's last holder left.
 */
export async function openTurn(tx: Tx, leavesMax: number): Promise<SequenceTurn | null> {
  const sql = sqlOf(tx)
  const [locked, head, tiles, pending] = await Promise.all([
    sql<{ turn: string }[]>`
      select set_config('llmring.sequences',
        pg_try_advisory_xact_lock(hashtextextended(${SEQUENCE_LOCK}, 0))::text, true) as turn`,
    readHead(tx),
    sql<{ level: number; index: string; hashes: Buffer }[]>`
      select log_tiles.level, log_tiles.index, log_tiles.hashes
      from log_head cross join generate_series(0, ${tileLevels - 1}::integer) as edge (level)
      join log_tiles on log_tiles.level = edge.level and log_tiles.index = log_head.size >> (8 * (edge.level + 1))
      where current_setting('llmring.sequences') = 'true'`,
    sql<{ id: string; entry: Buffer }[]>`
      select id, entry from log_pending where current_setting('llmring.sequences') = 'true'
      order by id limit ${leavesMax}`,
  ])
  if (confirmRow(locked).turn !== 'true') return null
  const { noted, ...tree } = head
  return { head: tree, noted, pending, tiles: tiles.map(({ index, ...tile }) => ({ ...tile, index: Number(index) })) }
}

function readTilesIn(tx: Tx, tiles: readonly { readonly level: number; readonly index: number }[]) {
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
 * Takes the leaves from those that are pending, writes their entries behind those that are there, the tiles that grew,
 * and the new head over the old one, in one statement. Throws if the head is not the old one any more.
 */
export async function extendTree(
  tx: Tx,
  from: TreeHead,
  to: TreeHead,
  leaves: readonly PendingLeaf[],
  tiles: readonly StoredTile[],
): Promise<void> {
  const rows = await sqlOf(tx)<{ entries: number; tiles: number; heads: number }[]>`
    with taken as (
      delete from log_pending
      where id in (select id from unnest(${arrayText(leaves.map(({ id }) => id))}::text::bigint[]) as wanted (id))
      returning id, entry
    ), new_entries as (
      insert into log_entries (index, entry)
      select ${from.size}::bigint + row_number() over (order by id) - 1, entry from taken
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
  const isWhole = written.entries === leaves.length && written.tiles === tiles.length && written.heads === 1
  invariant(isWhole, 'a chunk extends the head that was read, and each of its tiles grows')
}
