import type { ChatUsage } from '../../../core/chat/index.js'
import type { Backend } from '../../../core/routing/index.js'
import { configuredCost } from '../account/account.js'
import type { Provider } from '../config/providers.js'

/**
 * What these tokens would have cost at the dearest of the backends that might have answered, in pico-USD, by what the
 * configuration says of them; null if it says nothing of any.
 */
export function dearestOf(
  candidates: readonly Backend[],
  providers: ReadonlyMap<string, Provider>,
): (usage: ChatUsage) => bigint | null {
  return (usage) => {
    let dearest: bigint | null = null
    for (const { provider: name, model } of candidates) {
      const provider = providers.get(name)
      const cost = provider === undefined ? null : configuredCost(provider, model, usage)
      if (cost !== null && (dearest === null || cost > dearest)) dearest = cost
    }
    return dearest
  }
}
