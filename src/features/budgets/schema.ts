import { z } from '@hono/zod-openapi'
import { instant } from '../../http/instant.js'
import { BUDGET_PERIODS } from './budget.js'
import { BUDGET_LIMITS } from './limits.js'

const { nameCharactersMax, zoneCharactersMax, thresholdsMax, thresholdPercentMax } = BUDGET_LIMITS
const AMOUNT = 'must be plain decimal text with at most 12 places, such as "250.00"'
const dollars = (description: string) => z.string().openapi({ example: '250.000000000000', description })
const name = (what: string) =>
  z
    .string()
    .min(1)
    .max(nameCharactersMax)
    .nullish()
    .openapi({ description: `Only what is recorded under this ${what}.` })

const Terms = z.object({
  alias: name('alias'),
  profile: name('profile'),
  amount: z
    .string()
    .regex(/^(0|[1-9]\d{0,12})(\.\d{1,12})?$/, AMOUNT)
    .openapi({ example: '250.00', description: 'US dollars, exact.' }),
  period: z.enum(BUDGET_PERIODS).openapi({ description: 'Weeks begin on Monday.' }),
  tz: z
    .string()
    .min(1)
    .max(zoneCharactersMax)
    .default('UTC')
    .openapi({ example: 'Europe/Berlin', description: 'The time zone in which the period begins and ends.' }),
  thresholds: z
    .array(z.int().min(1).max(thresholdPercentMax))
    .min(1)
    .max(thresholdsMax)
    .default([50, 80, 100])
    .openapi({ description: 'In percent of the amount, each once.' }),
})

export const PutBody = z
  .object({
    budgets: z.array(Terms).max(BUDGET_LIMITS.budgetsPerProjectMax).openapi({
      description: 'All budgets of the project; no two of the same alias, profile, period and tz.',
    }),
  })
  .openapi('PutBudgets')

const Crossed = z.object({
  threshold: z.int(),
  at: instant().openapi({ description: 'When it was noticed.' }),
  spent: dollars('What was spent by then.'),
})

const BudgetSchema = z
  .object({
    id: z.uuid(),
    alias: z.string().nullable(),
    profile: z.string().nullable(),
    amount: dollars('US dollars, exact.'),
    period: z.enum(BUDGET_PERIODS),
    tz: z.string(),
    thresholds: z.array(z.int()),
    period_start: instant(),
    period_end: instant().openapi({ description: 'Not included.' }),
    spent: dollars('In this period so far.'),
    left: dollars('Negative if more was spent.'),
    unattributed: dollars(
      'Spent in hours with too many names to tell which: it may belong here, and is in no budget of an alias or profile.',
    ),
    reached: z.int().nullable().openapi({ description: 'The highest threshold that is reached.' }),
    crossings: z
      .array(Crossed)
      .openapi({ description: 'The thresholds that were noticed in this period, ascending, within seconds.' }),
  })
  .openapi('Budget')

export const BudgetListSchema = z.object({ budgets: z.array(BudgetSchema) }).openapi('BudgetList')
export const Deleted = z.object({ deleted: z.int() }).openapi('DeletedBudgets')
