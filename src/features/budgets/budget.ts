import type { ProjectId } from '../../access/principal.js'

export const BUDGET_PERIODS = ['day', 'week', 'month'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]

/** What a project means to spend in each period, in all or with this alias or profile. */
export type BudgetTerms = {
  readonly alias: string | null
  readonly profile: string | null
  /** US dollars with 12 places. */
  readonly amount: string
  readonly period: BudgetPeriod
  /** An IANA time zone, in which the period begins and ends. */
  readonly zone: string
  /** In percent of the amount, ascending. */
  readonly thresholds: readonly number[]
}

export type Budget = BudgetTerms & { readonly id: string; readonly createdAt: Date }

/** A project's budgets in the order in which they were set; `edition` counts how often they were. */
export type BudgetList = {
  readonly edition: number
  readonly checkedAt: Date | null
  readonly budgets: readonly Budget[]
}

/** In milliseconds since the Unix epoch: from one on, before the other. */
export type Span = { readonly fromMs: number; readonly untilMs: number }

/** A threshold that was reached in a period, as it was found. `spent` is US dollars with 12 places. */
export type Crossing = {
  readonly budgetId: string
  readonly period: Span
  readonly threshold: number
  readonly crossedAt: Date
  readonly spent: string
}

/** What was spent under an alias and a profile (`''`: without one): exact US dollars. */
export type SpentRow = { readonly alias: string; readonly profile: string; readonly cost: string }

/** What budgets need of usage. */
export type Spending = {
  readonly isZone: (name: string) => boolean
  /** The whole day, week or month of a zone that a moment is in. */
  readonly periodAt: (ms: number, period: BudgetPeriod, zone: string) => Span
  /** What was spent in each of these periods, all from one snapshot. */
  readonly sum: (projectId: ProjectId, periods: readonly Span[]) => Promise<readonly (readonly SpentRow[])[]>
  /** For each project with sums of late a text that changes when they do. */
  readonly marks: (projectIds: readonly ProjectId[]) => Promise<ReadonlyMap<string, string>>
}
