import { sql } from 'drizzle-orm'
import { bigint, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

export const receipts = pgTable(
  'receipts',
  {
    projectId: uuid('project_id').notNull(),
    id: text('id').notNull(),
    kind: text('kind', { enum: ['issued', 'stored'] }).notNull(),
    keyId: text('key_id').notNull(),
    requestSha256: bytes('request_sha256'),
    canonical: bytes('canonical').notNull(),
    storedAt: instant('stored_at').notNull(),
    legacyRule: text('legacy_rule'),
    /** Its place in the project's chain; null for a stored one. */
    seq: bigint('seq', { mode: 'number' }),
    /** SHA-256 of `canonical`: what the log holds of it. */
    entry: bytes('entry').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.id] }),
    index('receipts_chain').on(table.projectId, table.seq).where(sql`seq is not null`),
  ],
)

export const receiptKeys = pgTable('receipt_keys', {
  keyId: text('key_id').primaryKey(),
  publicKey: bytes('public_key').notNull(),
  notBefore: instant('not_before').notNull(),
  notAfter: instant('not_after'),
})

/** Of the receipts that were issued to a project: the last one. */
export const receiptChains = pgTable('receipt_chains', {
  projectId: uuid('project_id').primaryKey(),
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
  lastEntry: bytes('last_entry'),
  lastIssuedAt: instant('last_issued_at'),
})

/** Receipts that were erased one by one: their entries stay in the log. */
export const receiptErasures = pgTable(
  'receipt_erasures',
  {
    projectId: uuid('project_id').notNull(),
    entry: bytes('entry').notNull(),
    seq: bigint('seq', { mode: 'number' }),
    erasedAt: instant('erased_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.entry] }),
    index('receipt_erasures_chain').on(table.projectId, table.seq).where(sql`seq is not null`),
  ],
)
