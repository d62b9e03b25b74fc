import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { bytes, instant } from './columns.js'

const tokens = (name: string) => bigint(name, { mode: 'number' })
const money = (name: string) => numeric(name, { precision: 30, scale: 12 })

export const usageLogs = pgTable(
  'usage_logs',
  {
    projectId: uuid('project_id').notNull(),
    loggedAt: instant('logged_at').notNull(),
    id: uuid('id').notNull(),
    keyId: uuid('key_id'),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    alias: text('alias'),
    profile: text('profile'),
    origin: text('origin'),
    idAtOrigin: text('id_at_origin'),
    conversationId: text('conversation_id'),
    inputTokens: tokens('input_tokens'),
    outputTokens: tokens('output_tokens'),
    cachedInputTokens: tokens('cached_input_tokens'),
    cacheReadInputTokens: tokens('cache_read_input_tokens'),
    cacheWrite5mInputTokens: tokens('cache_write_5m_input_tokens'),
    cacheWrite1hInputTokens: tokens('cache_write_1h_input_tokens'),
    reasoningTokens: tokens('reasoning_tokens'),
    inputTokensIncludeCache: boolean('input_tokens_include_cache').notNull().default(true),
    latencyMs: doublePrecision('latency_ms'),
    cost: money('cost').notNull(),
    reportedCost: money('reported_cost'),
    computedCost: money('computed_cost'),
    costStatus: text('cost_status').notNull(),
    registryProviderVersion: text('registry_provider_version'),
    unitPrices: jsonb('unit_prices'),
    metadata: jsonb('metadata'),
    earlierPrices: jsonb('earlier_prices'),
    repriced: jsonb('repriced'),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.loggedAt, table.id] })],
)

export const usageMarks = pgTable(
  'usage_marks',
  {
    projectId: uuid('project_id').notNull(),
    key: text('key').notNull(),
    item: integer('item').notNull(),
    sha256: bytes('sha256').notNull(),
    answer: text('answer'),
    logId: uuid('log_id'),
    markedAt: instant('marked_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.key, table.item] }),
    index('usage_marks_age').on(table.markedAt),
  ],
)

const count = (name: string) => bigint(name, { mode: 'number' }).notNull()
const total = (name: string) => numeric(name, { precision: 30, scale: 0 }).notNull()

export const usageCombos = pgTable(
  'usage_combos',
  {
    projectId: uuid('project_id').notNull(),
    id: uuid('id').notNull(),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    alias: text('alias').notNull(),
    profile: text('profile').notNull(),
    origin: text('origin').notNull(),
    folded: boolean('folded').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
)

export const usageRollups = pgTable(
  'usage_rollups',
  {
    projectId: uuid('project_id').notNull(),
    grain: text('grain').notNull(),
    bucket: instant('bucket').notNull(),
    comboId: uuid('combo_id').notNull(),
    shard: integer('shard').notNull(),
    requests: count('requests'),
    cost: numeric('cost', { precision: 40, scale: 12 }).notNull(),
    inputTokens: total('input_tokens'),
    outputTokens: total('output_tokens'),
    cachedInputTokens: total('cached_input_tokens'),
    cacheReadInputTokens: total('cache_read_input_tokens'),
    cacheWrite5mInputTokens: total('cache_write_5m_input_tokens'),
    cacheWrite1hInputTokens: total('cache_write_1h_input_tokens'),
    reasoningTokens: total('reasoning_tokens'),
    reported: count('reported'),
    priced: count('priced'),
    free: count('free'),
    unknownModel: count('unknown_model'),
    noPrice: count('no_price'),
    noRegistry: count('no_registry'),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.grain, table.bucket, table.comboId, table.shard] }),
    index('usage_rollups_pending').on(table.projectId, table.bucket).where(sql`${table.shard} <> 0`),
  ],
)

export const usageLatencies = pgTable(
  'usage_latencies',
  {
    projectId: uuid('project_id').notNull(),
    hour: instant('hour').notNull(),
    model: text('model').notNull(),
    id: uuid('id').notNull(),
    buckets: smallint('buckets').array().notNull(),
    counts: bigint('counts', { mode: 'number' }).array(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.hour, table.model, table.id] }),
    index('usage_latencies_pending')
      .on(table.projectId, table.hour)
      .where(sql`${table.id} <> '00000000-0000-0000-0000-000000000000'`),
  ],
)
