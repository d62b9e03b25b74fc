import { isNotNull } from 'drizzle-orm'
import { bigint, boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

export const webhooks = pgTable(
  'webhooks',
  {
    projectId: uuid('project_id').primaryKey(),
    url: text('url').notNull(),
    secret: bytes('secret').notNull(),
    secretKeyId: text('secret_key_id').notNull(),
    edition: integer('edition').notNull(),
    createdAt: instant('created_at').notNull(),
    keyId: uuid('key_id'),
    disabledAt: instant('disabled_at'),
    dueAt: instant('due_at'),
    lease: uuid('lease'),
    failures: integer('failures').notNull(),
    slow: boolean('slow').notNull(),
    lastFailure: text('last_failure'),
    lastPlace: bigint('last_place', { mode: 'number' }).notNull().default(0),
  },
  (table) => [index('webhooks_due').on(table.slow, table.dueAt).where(isNotNull(table.dueAt))],
)

export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    projectId: uuid('project_id').notNull(),
    place: bigint('place', { mode: 'number' }).notNull(),
    id: text('id').notNull(),
    body: text('body').notNull(),
    attempts: integer('attempts').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.place] })],
)
