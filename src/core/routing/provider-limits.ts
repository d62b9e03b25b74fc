import { countCall, NO_CALLS, totalsIn, type Window, windowSlices } from './window.js'

/** What an operator allows this service to ask of one provider. An absent member limits nothing. */
export type ProviderLimits = { readonly requestsPerMinute?: number; readonly maxInFlight?: number }

const minuteMs = 60_000

type Use = { inFlight: number; recent: Window }

/** Counts the attempts at each provider against its limits. The minute slides, in slices of six seconds. */
export function createProviderLimits(limitsOf: (provider: string) => ProviderLimits) {
  const uses = new Map<string, Use>()
  const useOf = (provider: string): Use => {
    const use = uses.get(provider) ?? { inFlight: 0, recent: NO_CALLS }
    uses.set(provider, use)
    return use
  }
  return {
    /** Undefined if an attempt may begin; else when to ask again, if a time can be told. */
    refuses(provider: string, nowMs: number): { readonly retryAtMs: number | undefined } | undefined {
      const { requestsPerMinute, maxInFlight } = limitsOf(provider)
      const { inFlight, recent } = useOf(provider)
      if (maxInFlight !== undefined && inFlight >= maxInFlight) return { retryAtMs: undefined }
      if (requestsPerMinute === undefined) return undefined
      if (totalsIn(recent, nowMs, minuteMs).calls < requestsPerMinute) return undefined
      return { retryAtMs: nowMs + minuteMs / windowSlices }
    },
    begin(provider: string, nowMs: number): void {
      const use = useOf(provider)
      use.inFlight += 1
      if (limitsOf(provider).requestsPerMinute === undefined) return
      use.recent = countCall(use.recent, { failed: false, nowMs, windowMs: minuteMs })
    },
    end(provider: string): void {
      useOf(provider).inFlight -= 1
    },
  }
}
