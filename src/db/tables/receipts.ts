import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
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
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
)

export const receiptKeys = pgTable('receipt_keys', {
  keyId: text('key_id').primaryKey(),
  publicKey: bytes('public_key').notNull(),
  notBefore: instant('not_before').notNull(),
  notAfter: instant('not_after'),
})
