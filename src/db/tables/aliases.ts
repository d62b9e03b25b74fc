import { bigint, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.js'

export const aliasHeads = pgTable('alias_heads', {
  projectId: uuid('project_id').primaryKey(),
  revision: bigint('revision', { mode: 'number' }).notNull(),
  lastId: integer('last_id').notNull(),
  aliasCount: integer('alias_count').notNull(),
  metadataBytes: bigint('metadata_bytes', { mode: 'number' }).notNull().default(0),
  namesBytes: bigint('names_bytes', { mode: 'number' }).notNull().default(0),
})

export const aliases = pgTable(
  'aliases',
  {
    projectId: uuid('project_id').notNull(),
    profile: text('profile').notNull(),
    alias: text('alias').notNull(),
    id: integer('id').notNull(),
    models: text('models').array().notNull(),
    constraints: jsonb('constraints'),
    metadata: jsonb('metadata'),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    metadataBytes: integer('metadata_bytes').notNull().default(0),
    namesBytes: integer('names_bytes').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.profile, table.alias] }),
    unique().on(table.projectId, table.id),
    index('aliases_by_name').on(table.projectId, table.alias, table.profile),
  ],
)

export const aliasHistory = pgTable(
  'alias_history',
  {
    projectId: uuid('project_id').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    profile: text('profile').notNull(),
    alias: text('alias').notNull(),
    action: text('action', { enum: ['set', 'delete'] }).notNull(),
    models: text('models').array(),
    constraints: jsonb('constraints'),
    metadata: jsonb('metadata'),
    keyId: uuid('key_id'),
    changedAt: instant('changed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.revision, table.profile, table.alias] })],
)
