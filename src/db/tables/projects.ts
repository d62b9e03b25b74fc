import { boolean, doublePrecision, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

export const projects = pgTable('projects', {
  id: uuid('id').primaryKey(),
  name: text('name'),
  origin: text('origin', { enum: ['open', 'made'] }).notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  erasedAt: instant('erased_at'),
  sweptAt: instant('swept_at'),
  /** Where feedback moved the bounds between tiers of models, 0 to 1. */
  learnedThreshold: doublePrecision('learned_threshold'),
  /** Whether each of its calls through the gateway gets a receipt, unasked. */
  certifiesCalls: boolean('certifies_calls').notNull().default(false),
})

/** What of a project does not outlive it. */
export const FORGOTTEN = { name: null, learnedThreshold: null, certifiesCalls: false } as const

export const projectKeys = pgTable('project_keys', {
  id: uuid('id').primaryKey(),
  projectId: uuid('project_id').notNull(),
  keyHash: bytes('key_hash').notNull().unique(),
  pepperId: text('pepper_id').notNull(),
  prefix: text('prefix').notNull(),
  name: text('name'),
  role: text('role', { enum: ['write', 'log', 'read', 'audit', 'admin'] }).notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
  revokedAt: instant('revoked_at'),
})
