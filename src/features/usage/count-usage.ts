import { TOKEN_KINDS } from '../../core/pricing/index.js'
import type { CounterFamily, Metrics } from '../../platform/metrics.js'
import type { UsageRow } from './event.js'

type Series = { increment(by: number): void }

/** Who is not in the registry: a client may invent providers, and a label must not grow with them. */
const OTHER = 'other'
const GROUP_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/**
 * Counts what a committed group recorded, by provider. The provider is taken from the registry version that priced the
 * event, so its values are the registry's. Costs are in US dollars and added as floats: to watch, not to bill.
 */
export function createUsageCounters(metrics: Metrics): (rows: readonly UsageRow[]) => void {
  const groups = metrics.histogram('llmring_usage_group_rows', 'Usage rows in a committed group.', GROUP_BUCKETS)
  const eventsOf = rememberSeries(
    metrics.counters('llmring_usage_events_total', 'Usage events that were recorded.', ['provider', 'cost_status']),
    (provider, status) => ({ provider, cost_status: status }),
  )
  const tokensOf = rememberSeries(
    metrics.counters('llmring_usage_tokens_total', 'Tokens of recorded events; the kinds do not overlap.', [
      'provider',
      'kind',
    ]),
    (provider, kind) => ({ provider, kind }),
  )
  const costOf = rememberSeries(
    metrics.counters('llmring_usage_cost_usd_total', 'Cost of recorded events, in US dollars.', ['provider']),
    (provider) => ({ provider }),
  )
  return (rows) => {
    groups.observe(rows.length)
    // Added up first: a counter of the metrics library finds its series by a text of its labels at every step.
    const sums = new Map<Series, number>()
    const add = (series: Series, by: number) => sums.set(series, (sums.get(series) ?? 0) + by)
    for (const { registryVersion, status, event, cost } of rows) {
      const provider = registryVersion?.split('@', 1)[0] ?? OTHER
      add(eventsOf(provider, status), 1)
      for (const kind of TOKEN_KINDS) if (event.parts[kind] > 0) add(tokensOf(provider, kind), event.parts[kind])
      add(costOf(provider, ''), Number(cost))
    }
    for (const [series, by] of sums) series.increment(by)
  }
}

/** A series by one or two label values, looked up by text once it is there. */
function rememberSeries<Label extends string>(
  family: CounterFamily<Label>,
  labels: (first: string, second: string) => Record<Label, string>,
): (first: string, second: string) => Series {
  const known = new Map<string, Series>()
  return (first, second) => {
    const key = `${first} ${second}`
    let series = known.get(key)
    if (series === undefined) {
      series = family.series(labels(first, second))
      known.set(key, series)
    }
    return series
  }
}
