import { type Backend, backendName } from './backend.js'
import type { Ranked } from './rank.js'

/** What a hook is shown of a candidate: nothing by which it could call the backend itself, and no credential. */
export type HookCandidate = {
  readonly name: string
  readonly provider: string
  readonly model: string
  readonly tier: Backend['tier']
  /** Null for a price that is not known, which is not free. */
  readonly cost_per_1k_in: number | null
  readonly cost_per_1k_out: number | null
  readonly status: Ranked['health']
  readonly in_flight: number
  readonly latency_ms: number | null
}

export const hookCandidates = (ranked: readonly Ranked[]): readonly HookCandidate[] =>
  ranked.map(({ backend, health, inFlight, latencyMs }) => ({
    ...{ name: backendName(backend), provider: backend.provider, model: backend.model, tier: backend.tier },
    ...{ cost_per_1k_in: backend.costPerThousandIn, cost_per_1k_out: backend.costPerThousandOut },
    ...{ status: health, in_flight: inFlight, latency_ms: latencyMs ?? null },
  }))

/**
 * The candidates in the order that a hook chose: the names that it gave, then the others as they were. It gives a name,
 * a list of names, or candidates; whatever it names that is no candidate is passed over, so that it can't send a
 * request where the project's alias does not allow it.
 */
export function chosenByHook(ranked: readonly Ranked[], choice: unknown): readonly Ranked[] {
  const left = new Map(ranked.map((candidate) => [backendName(candidate.backend), candidate]))
  const first: Ranked[] = []
  for (const chosen of Array.isArray(choice) ? choice.slice(0, ranked.length) : [choice]) {
    const name = nameOf(chosen)
    const candidate = name === undefined ? undefined : left.get(name)
    if (name === undefined || candidate === undefined) continue
    left.delete(name)
    first.push(candidate)
  }
  return [...first, ...left.values()]
}

function nameOf(chosen: unknown): string | undefined {
  if (typeof chosen === 'string') return chosen
  if (typeof chosen !== 'object' || chosen === null || !('name' in chosen)) return undefined
  return typeof chosen.name === 'string' ? chosen.name : undefined
}
