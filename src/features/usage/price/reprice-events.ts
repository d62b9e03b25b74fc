import type { ProjectId } from '../../../access/principal.js'
import { decimalFromPico, picoFromDecimal } from '../../../core/pricing/index.js'
import { invariant } from '../../../platform/invariant.js'
import type { FoundPrice } from './price-event.js'
import { priceEvent } from './price-event.js'
import { partsOf } from './price-waiting.js'
import type { RecordedPrice, RecordedQuery, RepricingStore } from './repricing-store.js'

/** What an event was priced with; the members are those that are stored of it. Money is US dollars with 12 places. */
export type Priced = {
  readonly cost: string
  readonly computed_cost: string | null
  readonly cost_status: string
  readonly registry_provider_version: string | null
  readonly unit_prices: Readonly<Record<string, string>> | null
}
export type RepricedEvent = {
  /** RFC 3339 with milliseconds. */
  readonly loggedAt: string
  readonly id: string
  readonly model: string
  readonly before: Priced
  /** The same as `before` if nothing of it changes but the version. */
  readonly after: Priced
  /** What it would cost, if a receipt had certified it when it was repriced the last time. */
  readonly beside: Priced | null
}
/** The prices of a model at a time, in milliseconds since the epoch; undefined: it is not to be repriced. */
export type FindPriceAt = (provider: string, model: string, atMs: number) => Promise<FoundPrice | undefined>

/**
 * A page of a project's events, oldest first, each with what it costs at other prices. A cost that was reported stays
 * the cost; the computed one beside it may change. Nothing is written. `isLast`: nothing follows.
 */
export async function repriceEvents(
  store: Pick<RepricingStore, 'page'>,
  findPriceAt: FindPriceAt,
  projectId: ProjectId,
  query: RecordedQuery,
): Promise<{ readonly events: readonly RepricedEvent[]; readonly skipped: number; readonly isLast: boolean }> {
  const rows = await store.page(projectId, query)
  const events: RepricedEvent[] = []
  let skipped = 0
  for (const row of rows) {
    const found = await findPriceAt(row.provider, row.model, row.loggedAt.getTime())
    if (found === undefined || found.status === 'no_registry') skipped += 1
    events.push(repriceEvent(row, found))
  }
  return { events, skipped, isLast: rows.length < query.rowsMax }
}

function repriceEvent(row: RecordedPrice, found: FoundPrice | undefined): RepricedEvent {
  const before: Priced = {
    cost: row.cost,
    computed_cost: row.computedCost,
    cost_status: row.costStatus,
    registry_provider_version: row.registryProviderVersion,
    unit_prices: row.unitPrices,
  }
  const known = found === undefined || found.status === 'no_registry' ? before : pricedAt(row, found)
  const after = isSamePrice(before, known) ? before : known
  return {
    ...{ loggedAt: row.loggedAt.toISOString(), id: row.id, model: row.model },
    ...{ before, after, beside: row.repriced },
  }
}

function pricedAt(row: RecordedPrice, found: FoundPrice): Priced {
  const reportedPico = row.reportedCost === null ? null : picoFromDecimal(row.reportedCost)
  invariant(reportedPico !== undefined, 'a reported cost is stored as a decimal')
  const cost = priceEvent(found, { parts: partsOf(row), reportedPico })
  return {
    cost: decimalFromPico(cost.costPico),
    computed_cost: cost.computedPico === null ? null : decimalFromPico(cost.computedPico),
    cost_status: cost.status,
    registry_provider_version: cost.registryVersion,
    unit_prices: cost.unitPrices,
  }
}

/** Whether the money and the unit prices are the same; another version that says the same changes nothing. */
function isSamePrice(one: Priced, other: Priced): boolean {
  return (
    one.cost === other.cost &&
    one.computed_cost === other.computed_cost &&
    one.cost_status === other.cost_status &&
    textOf(one.unit_prices) === textOf(other.unit_prices)
  )
}

const textOf = (prices: Priced['unit_prices']): string =>
  JSON.stringify(Object.entries(prices ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)))
