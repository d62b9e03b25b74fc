import { type Backend, backendName } from './backend.js'
import type { Placed } from './backends-for.js'
import {
  admitCall,
  type Breaker,
  type BreakerSettings,
  CLOSED_BREAKER,
  cooled,
  openByHint,
  settleCall,
} from './breaker.js'
import { type Outcome, verdictOf } from './outcome.js'
import { beginAttempt, endAttempt, healthOf, IDLE_ENTRY, type PoolEntry } from './pool.js'
import { createProviderLimits, type ProviderLimits } from './provider-limits.js'
import type { Ranked } from './rank.js'

export type FleetSettings = {
  readonly backends: readonly Backend[]
  readonly breakerOf: (backend: Backend) => BreakerSettings
  readonly limitsOf: (provider: string) => ProviderLimits
  /** A breaker has opened here, for so long. Other instances may want to know. */
  readonly onOpened?: (backend: Backend, openMs: number) => void
}

/** Why a backend is not called now. */
export type RefusalReason = 'breaker-open' | 'asked-to-wait' | 'provider-limit'

export type Admission =
  | { readonly ok: true; readonly permit: Permit }
  /** `retryAtMs` is undefined if it depends on the end of a call that runs. */
  | { readonly ok: false; readonly reason: RefusalReason; readonly retryAtMs: number | undefined }

/** One attempt that may be made. `settle` has to be called once it is over, however it ends; a second time does nothing. */
export type Permit = { settle(outcome: Outcome, times: { nowMs: number; latencyMs?: number }): void }

type BackendReport = {
  readonly backend: Backend
  readonly entry: PoolEntry
  readonly health: ReturnType<typeof healthOf>
  readonly breaker: Breaker
}

/** The state of every configured backend: who is called, how it went, who is left alone. Every time comes from outside. */
export type Fleet = {
  /** The candidates with what is known of each, as `rank` takes them. */
  look(placed: readonly Placed[], nowMs: number): readonly Ranked[]
  admit(backend: Backend, nowMs: number): Admission
  /** Another instance's breaker of that name opened, and stays so for so long. An unknown name is ignored. */
  hear(name: string, openMs: number, nowMs: number): void
  report(nowMs: number): readonly BackendReport[]
}

type State = { readonly backend: Backend; readonly settings: BreakerSettings; breaker: Breaker; entry: PoolEntry }

export function createFleet(settings: FleetSettings): Fleet {
  const limits = createProviderLimits(settings.limitsOf)
  const states = new Map<string, State>()
  for (const backend of settings.backends) {
    const breakerSettings = settings.breakerOf(backend)
    states.set(backendName(backend), { backend, settings: breakerSettings, breaker: CLOSED_BREAKER, entry: IDLE_ENTRY })
  }
  const stateOf = (backend: Backend): State => {
    const state = states.get(backendName(backend))
    if (state === undefined) throw new Error(`There is no backend '${backendName(backend)}'.`)
    return state
  }
  return {
    look: (placed, nowMs) =>
      placed.map(({ backend, place }) => {
        const { entry } = stateOf(backend)
        return { backend, place, health: healthOf(entry, nowMs), inFlight: entry.inFlight, latencyMs: entry.latencyMs }
      }),
    admit(backend, nowMs) {
      const state = stateOf(backend)
      const { notBeforeMs } = state.entry
      if (nowMs < notBeforeMs) return { ok: false, reason: 'asked-to-wait', retryAtMs: notBeforeMs }
      const full = limits.refuses(backend.provider, nowMs)
      if (full !== undefined) return { ok: false, reason: 'provider-limit', retryAtMs: full.retryAtMs }
      const admission = admitCall(state.breaker, state.settings, nowMs)
      if (!admission.ok) return { ok: false, reason: 'breaker-open', retryAtMs: admission.retryAtMs }
      state.breaker = admission.breaker
      state.entry = beginAttempt(state.entry)
      limits.begin(backend.provider, nowMs)
      return { ok: true, permit: permitOf(state, () => limits.end(backend.provider), settings) }
    },
    hear(name, openMs, nowMs) {
      const state = states.get(name)
      // Never for longer than this instance would have left it alone by itself.
      if (state === undefined || !(openMs > 0)) return
      state.breaker = openByHint(state.breaker, nowMs + Math.min(openMs, state.settings.recoveryMs))
    },
    report: (nowMs) =>
      [...states.values()].map(({ backend, entry, breaker }) => ({
        ...{ backend, entry, health: healthOf(entry, nowMs), breaker: cooled(breaker, nowMs) },
      })),
  }
}

function permitOf(state: State, release: () => void, { onOpened }: FleetSettings): Permit {
  const { generation } = state.breaker
  let settled = false
  return {
    settle(outcome, { nowMs, latencyMs }) {
      if (settled) return
      settled = true
      release()
      const verdict = verdictOf(outcome)
      state.entry = endAttempt(state.entry, { verdict, latencyMs, retryAfterMs: outcome.retryAfterMs }, nowMs)
      const before = state.breaker.status
      state.breaker = settleCall(state.breaker, state.settings, { generation, result: verdict.result }, nowMs)
      if (before !== 'open' && state.breaker.status === 'open') onOpened?.(state.backend, state.settings.recoveryMs)
    },
  }
}
