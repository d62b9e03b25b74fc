import { costOf, type Prices } from '../../../core/pricing/index.js'
import type { EventCost, UsageEvent } from '../event.js'

export type FoundPrice =
  | { readonly status: 'found'; readonly prices: Prices; readonly registryVersion: string }
  | { readonly status: 'unknown_model'; readonly registryVersion: string | null }
  | { readonly status: 'no_registry' }

/** The prices of a model now. `registryVersion` names the provider's file, `openai@7`. In memory: no I/O. */
export type FindPrice = (provider: string, model: string) => FoundPrice

/**
 * What an event cost at these prices. A reported cost is the cost, and the computed one stands beside it. An unknown
 * cost is 0 only for want of a number; the status says so.
 */
export function priceEvent(found: FoundPrice, event: Pick<UsageEvent, 'parts' | 'reportedPico'>): EventCost {
  const { reportedPico } = event
  if (found.status !== 'found') {
    return {
      status: reportedPico === null ? found.status : 'reported',
      costPico: reportedPico ?? 0n,
      computedPico: null,
      reportedPico,
      registryVersion: found.status === 'unknown_model' ? found.registryVersion : null,
      unitPrices: null,
    }
  }
  const cost = costOf(found.prices, event.parts)
  const computedPico = cost.status === 'no_price' ? null : cost.pico
  return {
    status: reportedPico === null ? cost.status : 'reported',
    costPico: reportedPico ?? cost.pico,
    computedPico,
    reportedPico,
    registryVersion: found.registryVersion,
    unitPrices: computedPico === null ? null : cost.unitPrices,
  }
}
