import { backendName, type Fleet } from '../../core/routing/index.js'

/** What `GET /v1/backends` says of one backend. Nothing of its address or its credential. */
export type BackendShown = {
  readonly name: string
  readonly provider: string
  readonly model: string
  readonly tier: number
  readonly priority: number
  readonly status: 'healthy' | 'degraded' | 'down'
  readonly in_flight: number
  readonly latency_ms: number | null
  readonly total_requests: number
  readonly total_failures: number
  readonly breaker: {
    readonly status: 'closed' | 'open' | 'half-open'
    readonly failures_in_row: number
    readonly retry_in_ms: number | null
  }
  /** How long the backend asked to be left alone; null if it did not. */
  readonly asked_to_wait_ms: number | null
}

/** Every configured backend as this instance knows it, in the order of the configuration. */
export function reportBackends(fleet: Pick<Fleet, 'report'>, nowMs: number): readonly BackendShown[] {
  const left = (untilMs: number): number | null => (untilMs > nowMs ? Math.ceil(untilMs - nowMs) : null)
  return fleet.report(nowMs).map(({ backend, entry, health, breaker }) => ({
    ...{ name: backendName(backend), provider: backend.provider, model: backend.model, tier: backend.tier },
    ...{ priority: backend.priority, status: health, in_flight: entry.inFlight },
    latency_ms: entry.latencyMs === undefined ? null : Math.round(entry.latencyMs * 1_000) / 1_000,
    ...{ total_requests: entry.totalRequests, total_failures: entry.totalFailures },
    breaker: {
      status: breaker.status,
      failures_in_row: breaker.failuresInRow,
      retry_in_ms: breaker.status === 'open' ? left(breaker.openUntilMs) : null,
    },
    asked_to_wait_ms: left(entry.notBeforeMs),
  }))
}
