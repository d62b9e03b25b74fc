import { bigint, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

export const receiptBatches = pgTable(
  'receipt_batches',
  {
    projectId: uuid('project_id').notNull(),
    receiptId: text('receipt_id').notNull(),
    begunAt: instant('begun_at').notNull(),
    /** Null while its members are being written. */
    sealedAt: instant('sealed_at'),
    memberCount: integer('member_count').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.receiptId] })],
)

export const receiptMembers = pgTable(
  'receipt_members',
  {
    projectId: uuid('project_id').notNull(),
    receiptId: text('receipt_id').notNull(),
    position: integer('position').notNull(),
    logId: uuid('log_id').notNull(),
    loggedAt: instant('logged_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.receiptId, table.position] }),
    index('receipt_members_by_log').on(table.projectId, table.logId, table.receiptId),
  ],
)

export const receiptMemberTiles = pgTable(
  'receipt_member_tiles',
  {
    projectId: uuid('project_id').notNull(),
    receiptId: text('receipt_id').notNull(),
    level: integer('level').notNull(),
    index: integer('index').notNull(),
    hashes: bytes('hashes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.receiptId, table.level, table.index] })],
)

/** How far a project's logged calls are certified. */
export const receiptCoverage = pgTable('receipt_coverage', {
  projectId: uuid('project_id').primaryKey(),
  generation: bigint('generation', { mode: 'number' }).notNull(),
  settledUntil: instant('settled_until'),
  arrivedUntil: instant('arrived_until'),
})

/** Keys that a project registered for receipts that others signed. */
export const receiptClientKeys = pgTable(
  'receipt_client_keys',
  {
    projectId: uuid('project_id').notNull(),
    keyId: text('key_id').notNull(),
    publicKey: bytes('public_key').notNull(),
    label: text('label'),
    notBefore: instant('not_before'),
    notAfter: instant('not_after'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.keyId] })],
)
