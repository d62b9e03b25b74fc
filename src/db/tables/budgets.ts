import { index, integer, numeric, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './columns.js'

export const budgetHeads = pgTable('budget_heads', {
  projectId: uuid('project_id').primaryKey(),
  edition: integer('edition').notNull(),
  keyId: uuid('key_id'),
  setAt: instant('set_at').notNull(),
  checkedAt: instant('checked_at'),
  seen: text('seen'),
})

export const budgets = pgTable(
  'budgets',
  {
    projectId: uuid('project_id').notNull(),
    id: uuid('id').notNull(),
    place: integer('place').notNull(),
    alias: text('alias'),
    profile: text('profile'),
    amount: numeric('amount', { precision: 30, scale: 12 }).notNull(),
    period: text('period').notNull(),
    zone: text('zone').notNull(),
    thresholds: integer('thresholds').array().notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.id] })],
)

export const budgetCrossings = pgTable(
  'budget_crossings',
  {
    projectId: uuid('project_id').notNull(),
    budgetId: uuid('budget_id').notNull(),
    periodStart: instant('period_start').notNull(),
    threshold: integer('threshold').notNull(),
    periodEnd: instant('period_end').notNull(),
    crossedAt: instant('crossed_at').notNull(),
    spent: numeric('spent', { precision: 40, scale: 12 }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.budgetId, table.periodStart, table.threshold] }),
    index('budget_crossings_open').on(table.periodEnd),
  ],
)
