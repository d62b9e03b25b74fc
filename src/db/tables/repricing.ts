import { isNotNull, isNull } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.js'

export const repriceJobs = pgTable(
  'reprice_jobs',
  {
    projectId: uuid('project_id').notNull(),
    id: uuid('id').notNull(),
    keyId: uuid('key_id'),
    createdAt: instant('created_at').notNull(),
    fromAt: instant('from_at').notNull(),
    untilAt: instant('until_at').notNull(),
    registryVersion: text('registry_version'),
    dryRun: boolean('dry_run').notNull(),
    status: text('status').notNull(),
    reachedAt: instant('reached_at'),
    reachedId: uuid('reached_id'),
    found: jsonb('found').notNull(),
    dueAt: instant('due_at'),
    lease: uuid('lease'),
    failures: integer('failures').notNull(),
    lastFailure: text('last_failure'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.id] }),
    uniqueIndex('reprice_jobs_open').on(table.projectId).where(isNull(table.finishedAt)),
    index('reprice_jobs_due').on(table.dueAt).where(isNotNull(table.dueAt)),
  ],
)
