import type { Verdict } from './outcome.js'

export type Health = 'healthy' | 'degraded' | 'down'

/** The weight of the newest latency in the moving average. */
const newestShare = 0.2
/** For how long one failure shows. */
export const degradedMs = 30_000
/** For how long an unreachable backend is left out as long as another one can be called. */
export const downMs = 10_000
/** A backend that asks for more is asked again after this. */
export const retryAfterMsMax = 600_000

/** What is known of one backend. Times are of the caller's clock. */
export type PoolEntry = {
  readonly inFlight: number
  /** Exponential moving average until the answer began; undefined before the first one. */
  readonly latencyMs: number | undefined
  readonly totalRequests: number
  readonly totalFailures: number
  readonly degradedUntilMs: number
  readonly downUntilMs: number
  /** Not called before this time: a `Retry-After` that was asked for. */
  readonly notBeforeMs: number
}

export const IDLE_ENTRY: PoolEntry = {
  ...{ inFlight: 0, latencyMs: undefined, totalRequests: 0, totalFailures: 0 },
  ...{ degradedUntilMs: 0, downUntilMs: 0, notBeforeMs: 0 },
}

export const healthOf = ({ downUntilMs, degradedUntilMs }: PoolEntry, nowMs: number): Health =>
  nowMs < downUntilMs ? 'down' : nowMs < degradedUntilMs ? 'degraded' : 'healthy'

export const beginAttempt = (entry: PoolEntry): PoolEntry => ({
  ...entry,
  inFlight: entry.inFlight + 1,
  totalRequests: entry.totalRequests + 1,
})

type AttemptEnd = {
  readonly verdict: Verdict
  /** Until the answer began; undefined if none did. */
  readonly latencyMs: number | undefined
  readonly retryAfterMs: number | undefined
}

/** The entry after one of its attempts has ended. */
export function endAttempt(
  entry: PoolEntry,
  { verdict, latencyMs, retryAfterMs }: AttemptEnd,
  nowMs: number,
): PoolEntry {
  const { sign, result } = verdict
  const failed = sign === 'trouble' || sign === 'unreachable'
  const askedMs = failed && retryAfterMs !== undefined ? Math.min(Math.max(0, retryAfterMs), retryAfterMsMax) : 0
  return {
    ...entry,
    inFlight: Math.max(0, entry.inFlight - 1),
    totalFailures: entry.totalFailures + (result === 'failure' ? 1 : 0),
    latencyMs: latencyMs === undefined ? entry.latencyMs : averaged(entry.latencyMs, latencyMs),
    degradedUntilMs: failed ? Math.max(entry.degradedUntilMs, nowMs + degradedMs) : entry.degradedUntilMs,
    downUntilMs: nextDownUntil(entry, sign, nowMs),
    notBeforeMs: askedMs > 0 ? Math.max(entry.notBeforeMs, nowMs + askedMs) : entry.notBeforeMs,
  }
}

/** Whatever answered, also with an error, is reachable again. */
function nextDownUntil(entry: PoolEntry, sign: Verdict['sign'], nowMs: number): number {
  if (sign === 'unreachable') return Math.max(entry.downUntilMs, nowMs + downMs)
  return sign === 'none' ? entry.downUntilMs : 0
}

const averaged = (before: number | undefined, newest: number): number =>
  before === undefined ? newest : before + newestShare * (newest - before)
