import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

/** The database numbers them. */
export const logPending = pgTable('log_pending', {
  id: bigint('id', { mode: 'number' }).primaryKey(),
  entry: bytes('entry').notNull(),
  pendingSince: instant('pending_since').notNull(),
})

/** One row. */
export const logHead = pgTable('log_head', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  origin: text('origin').notNull(),
  size: bigint('size', { mode: 'number' }).notNull(),
  root: bytes('root').notNull(),
  /** The instance that submits checkpoints to the witnesses. */
  witnessHolder: uuid('witness_holder'),
  witnessUntil: instant('witness_until'),
})

export const logEntries = pgTable(
  'log_entries',
  {
    index: bigint('index', { mode: 'number' }).primaryKey(),
    entry: bytes('entry').notNull(),
  },
  (table) => [index('log_entries_by_entry').on(table.entry, table.index)],
)

/** The rightmost tile of each level grows until it holds 256 hashes. */
export const logTiles = pgTable(
  'log_tiles',
  {
    level: smallint('level').notNull(),
    index: bigint('index', { mode: 'number' }).notNull(),
    hashes: bytes('hashes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.level, table.index] })],
)

export const logCheckpoints = pgTable(
  'log_checkpoints',
  {
    size: bigint('size', { mode: 'number' }).primaryKey(),
    root: bytes('root').notNull(),
    note: text('note').notNull(),
    signedAt: instant('signed_at').notNull(),
    /** How many cosigned it. */
    witnesses: integer('witnesses').notNull().default(0),
  },
  (table) => [index('log_checkpoints_witnessed').on(table.size).where(sql`witnesses > 0`)],
)

export const logStatements = pgTable('log_statements', {
  entry: bytes('entry').primaryKey(),
  kind: text('kind').notNull(),
  canonical: bytes('canonical').notNull(),
  statedAt: instant('stated_at').notNull(),
})
