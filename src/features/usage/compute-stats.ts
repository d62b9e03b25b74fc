import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { invariant } from '../../platform/invariant.js'
import { acceptPeriod } from './accept-period.js'
import { type PeriodText, readPeriod } from './period.js'
import type { UsageStats } from './schema.js'
import type { StatsRow } from './stats-row.js'
import type { GroupBy, UsageStore } from './store.js'

export type StatsDeps = { readonly clock: Clock; readonly tally: UsageStore['tally'] }
export type StatsInput = { readonly period: PeriodText; readonly groupBy: GroupBy }

/** The sums of a period, from one snapshot. Throws `validation-failed` for a period that does not exist. */
export async function computeStats(deps: StatsDeps, projectId: ProjectId, input: StatsInput): Promise<UsageStats> {
  const period = acceptPeriod(readPeriod(input.period, deps.clock()))
  return assembleStats(await deps.tally(projectId, period, input.groupBy))
}

/** The answer from the statement's lines. Names are the callers': any text, `__proto__` too. */
function assembleStats(rows: readonly StatsRow[]): UsageStats {
  const of = (kind: StatsRow['kind']) => rows.filter((row) => row.kind === kind)
  const [whole] = of('summary')
  invariant(whole, 'the stats statement answers with a summary')
  const [models, origins] = [of('model'), of('origin')]
  return {
    summary: {
      total_requests: Number(whole.requests),
      total_cost: whole.cost,
      total_tokens: Number(BigInt(whole.inputTokens) + BigInt(whole.outputTokens)),
      unique_models: Number(models[0]?.names ?? 0),
      unique_origins: Number(origins[0]?.names ?? 0),
      unpriced_requests: Number(whole.unpriced),
    },
    by_day: of('period').map((row) => ({
      date: row.name ?? '',
      requests: Number(row.requests),
      cost: row.cost,
      top_model: row.topModel ?? '',
    })),
    by_model: byName(models, tallyOf),
    by_origin: byName(origins, (row) => ({ requests: Number(row.requests), cost: Number(row.cost) })),
    by_alias: byName(of('alias'), tallyOf),
  }
}

function tallyOf(row: StatsRow) {
  return {
    requests: Number(row.requests),
    cost: row.cost,
    input_tokens: Number(row.inputTokens),
    output_tokens: Number(row.outputTokens),
  }
}

/** fromEntries defines members where an assignment to `__proto__` would set the prototype and lose the line. */
function byName<T>(rows: readonly StatsRow[], render: (row: StatsRow) => T): Record<string, T> {
  return Object.fromEntries(rows.map((row) => [row.name ?? '', render(row)]))
}
