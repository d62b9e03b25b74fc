import { sql } from 'drizzle-orm'
import {
  bigint,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { instant } from './columns.js'

export const aliasHeads = pgTable('alias_heads', {
  projectId: uuid('project_id').primaryKey(),
  revision: bigint('revision', { mode: 'number' }).notNull(),
  lastId: integer('last_id').notNull(),
  aliasCount: integer('alias_count').notNull(),
  metadataBytes: bigint('metadata_bytes', { mode: 'number' }).notNull().default(0),
  namesBytes: bigint('names_bytes', { mode: 'number' }).notNull().default(0),
  /** Another one where revisions started anew. */
  epoch: uuid('epoch').notNull(),
  lastPlace: doublePrecision('last_place').notNull().default(0),
})

export const aliases = pgTable(
  'aliases',
  {
    projectId: uuid('project_id').notNull(),
    profile: text('profile').notNull(),
    alias: text('alias').notNull(),
    id: integer('id').notNull(),
    models: text('models').array().notNull(),
    constraints: json('constraints'),
    metadata: jsonb('metadata'),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    metadataBytes: integer('metadata_bytes').notNull().default(0),
    namesBytes: integer('names_bytes').notNull().default(0),
    /** Orders the bindings of a profile; equal ones go by name. */
    place: doublePrecision('place').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.profile, table.alias] }),
    unique().on(table.projectId, table.id),
    index('aliases_by_name').on(table.projectId, table.alias, table.profile),
    index('aliases_by_revision').on(table.projectId, table.profile, table.revision),
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
    constraints: json('constraints'),
    metadata: jsonb('metadata'),
    keyId: uuid('key_id'),
    changedAt: instant('changed_at').notNull(),
    /** Null for a deletion. */
    place: doublePrecision('place'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.revision, table.profile, table.alias] }),
    index('alias_deletions').on(table.projectId, table.profile, table.revision).where(sql`action = 'delete'`),
    index('alias_history_by_alias').on(table.projectId, table.profile, table.alias, table.revision),
  ],
)

export const aliasRevisions = pgTable(
  'alias_revisions',
  {
    projectId: uuid('project_id').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    profiles: text('profiles').array().notNull(),
    kind: text('kind', { enum: ['write', 'undo', 'promote', 'lockfile'] }).notNull(),
    keyId: uuid('key_id'),
    note: text('note'),
    changedAt: instant('changed_at').notNull(),
    /** `updated_at` as the lockfile spells it; null for revisions from before there were lockfiles. */
    lockUpdatedAt: text('lock_updated_at'),
    headerRevision: bigint('header_revision', { mode: 'number' }),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.revision] })],
)

export const lockHeaders = pgTable(
  'lock_headers',
  {
    projectId: uuid('project_id').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
    header: json('header').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.revision] })],
)

export const lockDigests = pgTable(
  'lock_digests',
  {
    projectId: uuid('project_id').notNull(),
    digest: text('digest').notNull(),
    revision: bigint('revision', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.digest] }),
    index('lock_digests_by_revision').on(table.projectId, table.revision),
  ],
)
