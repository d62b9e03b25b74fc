import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

export const registryFiles = pgTable(
  'registry_files',
  {
    path: text('path').notNull(),
    sha256: text('sha256').notNull(),
    provider: text('provider'),
    providerVersion: integer('provider_version'),
    body: bytes('body').notNull(),
    firstFetchedAt: instant('first_fetched_at').notNull(),
    lastFetchedAt: instant('last_fetched_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.path, table.sha256] })],
)
