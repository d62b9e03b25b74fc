import { TOKEN_KINDS } from '../../../core/pricing/index.js'
import type { CounterFamily, Metrics } from '../../../platform/metrics.js'
import type { UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'

type Series = { increment(by: number): void }

/** What is not in the registry: a client may invent providers and models, and labels must not grow with them. */
const OTHER = 'other'
const GROUP_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/**
 * Counts what a committed group recorded, by provider and model. The provider is taken from the registry version that
 * priced the event, and a model is named if that version has its prices. Costs are in US dollars and added as floats: to
 * watch, not to bill.
 */
export function createUsageCounters(metrics: Metrics): (rows: readonly UsageRow[]) => void {
  const groups = metrics.histogram('llmring_usage_group_rows', 'Usage rows in a committed group.', GROUP_BUCKETS)
  const eventsOf = rememberSeries(
    metrics.counters('llmring_usage_events_total', 'Usage events that were recorded.', [
      ...(['provider', 'model', 'cost_status'] as const),
    ]),
    (provider, model, status) => ({ provider, model, cost_status: status }),
  )
  const tokensOf = rememberSeries(
    metrics.counters('llmring_usage_tokens_total', 'Tokens of recorded events; the kinds do not overlap.', [
      ...(['provider', 'model', 'kind'] as const),
    ]),
    (provider, model, kind) => ({ provider, model, kind }),
  )
  const costOf = rememberSeries(
    metrics.counters('llmring_usage_cost_usd_total', 'Cost of recorded events, in US dollars.', ['provider', 'model']),
    (provider, model) => ({ provider, model }),
  )
  const modelOf = boundModels(USAGE_LIMITS.countedModelsMax)
  return (rows) => {
    groups.observe(rows.length)
    // Added up first: a counter of the metrics library finds its series by a text of its labels at every step.
    const sums = new Map<Series, number>()
    const add = (series: Series, by: number) => sums.set(series, (sums.get(series) ?? 0) + by)
    for (const alike of groupAlike(rows)) {
      const [{ registryVersion, status }] = alike
      const provider = registryVersion?.split('@', 1)[0] ?? OTHER
      const model = modelOf(provider, alike[0])
      add(eventsOf(provider, model, status), alike.length)
      for (const kind of TOKEN_KINDS) {
        const tokens = sumOf(alike, ({ event }) => event.parts[kind])
        if (tokens > 0) add(tokensOf(provider, model, kind), tokens)
      }
      add(
        costOf(provider, model, ''),
        sumOf(alike, ({ cost }) => Number(cost)),
      )
    }
    for (const [series, by] of sums) series.increment(by)
  }
}

type Alike = [UsageRow, ...UsageRow[]]

/** Rows that are counted in the same series: the events of a busy service are of a few models. */
function groupAlike(rows: readonly UsageRow[]): Iterable<Alike> {
  const groups = new Map<string, Alike>()
  let last: Alike | undefined
  for (const row of rows) {
    if (last === undefined || !isAlike(last[0], row)) {
      const { registryVersion, status, unitPrices, event } = row
      const key = `${registryVersion} ${status} ${unitPrices === null} ${event.model}`
      const known = groups.get(key)
      if (known === undefined) {
        last = [row]
        groups.set(key, last)
        continue
      }
      last = known
    }
    last.push(row)
  }
  return groups.values()
}

const isAlike = (one: UsageRow, other: UsageRow) =>
  one.registryVersion === other.registryVersion &&
  one.status === other.status &&
  one.event.model === other.event.model &&
  (one.unitPrices === null) === (other.unitPrices === null)

function sumOf(rows: readonly UsageRow[], amountOf: (row: UsageRow) => number): number {
  let sum = 0
  for (const row of rows) sum += amountOf(row)
  return sum
}

/** The model of a row that was priced, of so many models the first that came: each is several series. */
function boundModels(modelsMax: number): (provider: string, row: UsageRow) => string {
  const known = new Set<string>()
  return (provider, { unitPrices, event: { model } }) => {
    if (unitPrices === null) return OTHER
    const key = `${provider} ${model}`
    if (known.has(key)) return model
    if (known.size >= modelsMax) return OTHER
    known.add(key)
    return model
  }
}

/** A series by its label values, looked up by text once it is there. */
function rememberSeries<Label extends string>(
  family: CounterFamily<Label>,
  labels: (first: string, second: string, third: string) => Record<Label, string>,
): (first: string, second: string, third: string) => Series {
  const known = new Map<string, Series>()
  return (first, second, third) => {
    const key = `${first} ${second} ${third}`
    let series = known.get(key)
    if (series === undefined) {
      series = family.series(labels(first, second, third))
      known.set(key, series)
    }
    return series
  }
}
