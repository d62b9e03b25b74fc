import { countCall, NO_CALLS, totalsIn, type Window } from './window.js'

export type BreakerStatus = 'closed' | 'open' | 'half-open'
export type BreakerEvent = 'success' | 'failure' | 'threshold' | 'cooldown'

/** What follows on what. Total: a forgotten cell does not compile, and SPEC.md and the tests read this table. */
export const NEXT_BREAKER_STATUS: Readonly<Record<BreakerStatus, Readonly<Record<BreakerEvent, BreakerStatus>>>> = {
  closed: { success: 'closed', failure: 'closed', threshold: 'open', cooldown: 'closed' },
  open: { success: 'open', failure: 'open', threshold: 'open', cooldown: 'half-open' },
  'half-open': { success: 'closed', failure: 'open', threshold: 'open', cooldown: 'half-open' },
}

export type BreakerSettings = {
  /** Failures one after the other that open it. */
  readonly failureThreshold: number
  /** The sliding window over which the rate is taken. */
  readonly windowMs: number
  /** The share of failures in the window, 0 to 1, that opens it; it is looked at from `callsMin` calls on. */
  readonly failureRate: number
  readonly callsMin: number
  /** How long it stays open before it lets calls through on trial. */
  readonly recoveryMs: number
  /** How many calls may be on trial at a time. */
  readonly halfOpenMax: number
}

export const DEFAULT_BREAKER: BreakerSettings = {
  ...{ failureThreshold: 3, windowMs: 60_000, failureRate: 0.5, callsMin: 10, recoveryMs: 30_000, halfOpenMax: 1 },
}

export type Breaker = {
  readonly status: BreakerStatus
  /** Grows with every change of status. The end of a call that began under another one decides nothing. */
  readonly generation: number
  readonly failuresInRow: number
  readonly recent: Window
  /** Counts while it is open. */
  readonly openUntilMs: number
  /** Calls on trial; 0 unless it is half open. */
  readonly trials: number
}

export const CLOSED_BREAKER: Breaker = {
  ...{ status: 'closed', generation: 0, failuresInRow: 0, recent: NO_CALLS, openUntilMs: 0, trials: 0 },
}

export type BreakerAdmission =
  | { readonly ok: true; readonly breaker: Breaker }
  /** `retryAtMs` is when the next call may be let through; undefined if that depends on the end of a trial. */
  | { readonly ok: false; readonly retryAtMs: number | undefined }

/** Whether a call may begin now, and the breaker once it has. The call's generation is that breaker's. */
export function admitCall(breaker: Breaker, { halfOpenMax }: BreakerSettings, nowMs: number): BreakerAdmission {
  const current = cooled(breaker, nowMs)
  if (current.status === 'closed') return { ok: true, breaker: current }
  if (current.status === 'open') return { ok: false, retryAtMs: current.openUntilMs }
  if (current.trials >= halfOpenMax) return { ok: false, retryAtMs: undefined }
  return { ok: true, breaker: { ...current, trials: current.trials + 1 } }
}

/** How the end of a call is counted; `none` says nothing of the backend: the caller left. */
export type CallResult = 'success' | 'failure' | 'none'

/** The breaker after a call, which began under `generation`, has ended. */
export function settleCall(
  breaker: Breaker,
  settings: BreakerSettings,
  call: { readonly generation: number; readonly result: CallResult },
  nowMs: number,
): Breaker {
  if (call.generation !== breaker.generation) return breaker
  const trials = Math.max(0, breaker.trials - 1)
  if (call.result === 'none') return { ...breaker, trials }
  if (breaker.status !== 'closed') return moved({ ...breaker, trials }, call.result, nowMs + settings.recoveryMs)
  const failed = call.result === 'failure'
  const counted: Breaker = {
    ...breaker,
    failuresInRow: failed ? breaker.failuresInRow + 1 : 0,
    recent: countCall(breaker.recent, { failed, nowMs, windowMs: settings.windowMs }),
  }
  const event = failed && isOver(counted, settings, nowMs) ? 'threshold' : call.result
  return moved(counted, event, nowMs + settings.recoveryMs)
}

/** Another instance has seen the backend fail so often that it called it no more until then. */
export function openByHint(breaker: Breaker, untilMs: number): Breaker {
  return breaker.status === 'closed' ? moved(breaker, 'threshold', untilMs) : breaker
}

/** As it is now: one that was open for long enough is half open, though no call has asked since. */
export function cooled(breaker: Breaker, nowMs: number): Breaker {
  return breaker.status === 'open' && nowMs >= breaker.openUntilMs ? moved(breaker, 'cooldown', 0) : breaker
}

function moved(breaker: Breaker, event: BreakerEvent, openUntilMs: number): Breaker {
  const status = NEXT_BREAKER_STATUS[breaker.status][event]
  if (status === breaker.status) return breaker
  const generation = breaker.generation + 1
  return { ...CLOSED_BREAKER, status, generation, openUntilMs: status === 'open' ? openUntilMs : 0 }
}

function isOver({ failuresInRow, recent }: Breaker, settings: BreakerSettings, nowMs: number): boolean {
  if (failuresInRow >= settings.failureThreshold) return true
  const { calls, failures } = totalsIn(recent, nowMs, settings.windowMs)
  return calls >= settings.callsMin && failures / calls >= settings.failureRate
}
