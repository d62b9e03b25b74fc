import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import { TRANSPARENCY_LIMITS } from './limits.js'
import type { AgedCheckpoint } from './purge-checkpoints.js'
import type { TreeHead } from './tree-head.js'

/** A head that was signed. `note` is the signed note. */
export type StoredCheckpoint = TreeHead & { readonly note: string; readonly witnesses: number }

/** What a poll learns. */
export type LogState = {
  readonly head: TreeHead
  /** Of the newest checkpoint; null if there is none. */
  readonly notedSize: number | null
  readonly notedWitnesses: number
  /** Leaves that are pending, counted up to `pendingCountedMax`. */
  readonly pending: number
  /** How long the first of them has been pending, in milliseconds; 0 if there is none. */
  readonly pendingMs: number
}

type Row = { size: string; root: Buffer; note: string; witnesses: number }
const stored = ({ size, ...rest }: Row): StoredCheckpoint => ({ ...rest, size: Number(size) })

export function createCheckpointStore(sql: Sql) {
  return {
    /** The largest that was signed; undefined if there is none. */
    newest: async (): Promise<StoredCheckpoint | undefined> => {
      const rows = await sql<Row[]>`
        select size, root, note, witnesses from log_checkpoints order by size desc limit 1`
      return rows[0] === undefined ? undefined : stored(rows[0])
    },

    /** Those above a size that were signed before a moment (milliseconds since the epoch), smallest first. */
    listAged: async (above: number, before: number, rowsMax: number): Promise<readonly AgedCheckpoint[]> => {
      const rows = await sql<{ size: string; signedAt: Date; witnesses: number }[]>`
        select size, signed_at as "signedAt", witnesses from log_checkpoints
        where size > ${above} and signed_at < ${new Date(before)} order by log_checkpoints.size limit ${rowsMax}`
      return rows.map(({ size, signedAt, witnesses }) => ({
        ...{ size: Number(size), signedAt: signedAt.getTime(), witnesses },
      }))
    },

    deleteUnwitnessed: async (sizes: readonly number[]): Promise<void> => {
      const deleted = await sql`
        delete from log_checkpoints where witnesses = 0
          and size in (select size from unnest(${arrayText(sizes)}::text::bigint[]) as spare (size))`
      confirmCompleted(deleted, 'DELETE')
    },

    readState: async (): Promise<LogState> => {
      const rows = await sql<(Omit<LogState, 'head'> & { size: string; root: Buffer; notedSize: string | null })[]>`
        select log_head.size, log_head.root, newest.size as "notedSize",
          coalesce(newest.witnesses, 0) as "notedWitnesses",
          (select count(*) from (select from log_pending limit ${TRANSPARENCY_LIMITS.pendingCountedMax}) as counted)::int
            as pending,
          coalesce((
            select extract(epoch from clock_timestamp() - pending_since) * 1000 from log_pending order by id limit 1
          ), 0)::float8 as "pendingMs"
        from log_head
        left join lateral (select size, witnesses from log_checkpoints order by size desc limit 1) as newest on true`
      const { size, root, notedSize, ...rest } = confirmRow(rows)
      return {
        ...rest,
        head: { size: Number(size), root },
        notedSize: notedSize === null ? null : Number(notedSize),
      }
    },
  }
}

/** Those that were cosigned, of which the log keeps all. */
export type WitnessedStore = {
  /** Of more leaves than `above`, smallest first. */
  readonly listFirst: (above: number, rowsMax: number) => Promise<readonly StoredCheckpoint[]>
  /** Of at most so many leaves, largest first. */
  readonly listLast: (sizeMax: number, rowsMax: number) => Promise<readonly StoredCheckpoint[]>
}

/** By the index on those that were cosigned: without witnesses, a log has one checkpoint a minute that was not. */
export function createWitnessedStore(sql: Sql): WitnessedStore {
  return {
    listFirst: async (above, rowsMax) => {
      const rows = await sql<Row[]>`
        select size, root, note, witnesses from log_checkpoints
        where size > ${above} and witnesses > 0 order by log_checkpoints.size limit ${rowsMax}`
      return rows.map(stored)
    },
    listLast: async (sizeMax, rowsMax) => {
      const rows = await sql<Row[]>`
        select size, root, note, witnesses from log_checkpoints
        where size <= ${sizeMax} and witnesses > 0 order by log_checkpoints.size desc limit ${rowsMax}`
      return rows.map(stored)
    },
  }
}

export type CheckpointStore = ReturnType<typeof createCheckpointStore>

/**
 * Keeps a signed head, and gives what is kept of its size now: an instance that signed it first may have got
 * cosignatures already. Undefined if another root was signed at that size.
 */
export async function saveCheckpoint(
  tx: Tx,
  { size, root, note, witnesses }: StoredCheckpoint,
): Promise<StoredCheckpoint | undefined> {
  const rows = await sqlOf(tx)<Row[]>`
    insert into log_checkpoints (size, root, note, signed_at, witnesses)
    values (${size}, ${Buffer.from(root)}, ${note}, clock_timestamp(), ${witnesses})
    on conflict (size) do update
      set note = case when excluded.witnesses > log_checkpoints.witnesses then excluded.note else log_checkpoints.note end,
        witnesses = greatest(excluded.witnesses, log_checkpoints.witnesses)
      where log_checkpoints.root = excluded.root
    returning size, root, note, witnesses`
  return rows[0] === undefined ? undefined : stored(rows[0])
}
