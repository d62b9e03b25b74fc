import { createFleet, type Fleet } from '../../../core/routing/index.js'
import { invariant } from '../../../platform/invariant.js'
import type { Provider } from '../config/providers.js'

type Told = Parameters<typeof createFleet>[0]['onOpened']

/** The state of every configured backend, with the breaker and the limits that its provider is configured with. */
export function openFleet(providers: readonly Provider[], onOpened?: Told): Fleet {
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  const find = (name: string): Provider => {
    const provider = byName.get(name)
    invariant(provider !== undefined, 'a backend is of a provider that is configured')
    return provider
  }
  return createFleet({
    backends: providers.flatMap(({ backends }) => backends),
    breakerOf: ({ provider }) => {
      const { breaker } = find(provider)
      return {
        failureThreshold: breaker.failure_threshold,
        windowMs: breaker.window_seconds * 1_000,
        failureRate: breaker.failure_rate,
        callsMin: breaker.min_calls,
        recoveryMs: breaker.recovery_seconds * 1_000,
        halfOpenMax: breaker.half_open_max,
      }
    },
    limitsOf: (name) => {
      const { requests_per_minute: requestsPerMinute, max_in_flight: maxInFlight } = find(name).limits
      return {
        ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
        ...(maxInFlight === undefined ? {} : { maxInFlight }),
      }
    },
    ...(onOpened === undefined ? {} : { onOpened }),
  })
}
