import { describe, expect, it, test } from 'vitest'
import {
  admitCall,
  type Breaker,
  type BreakerEvent,
  type BreakerStatus,
  CLOSED_BREAKER,
  cooled,
  DEFAULT_BREAKER,
  NEXT_BREAKER_STATUS,
  openByHint,
  settleCall,
} from '../../src/core/routing/index.js'

const settings = { ...DEFAULT_BREAKER, windowMs: 60_000, recoveryMs: 30_000 }

/** One call from its beginning to its end, at one moment. */
function call(breaker: Breaker, result: 'success' | 'failure' | 'none', nowMs: number): Breaker {
  const admission = admitCall(breaker, settings, nowMs)
  if (!admission.ok) throw new Error('not admitted')
  return settleCall(admission.breaker, settings, { generation: admission.breaker.generation, result }, nowMs)
}
const failing = (breaker: Breaker, times: number, nowMs: number): Breaker =>
  Array.from({ length: times }).reduce<Breaker>((now) => call(now, 'failure', nowMs), breaker)

/** A breaker in each status, and what brings about each event in it. */
const opened = failing(CLOSED_BREAKER, 3, 1_000)
const onTrial = (() => {
  const admission = admitCall(opened, settings, 31_000)
  if (!admission.ok) throw new Error('not on trial')
  return admission.breaker
})()
const STATUSES: Readonly<Record<BreakerStatus, Breaker>> = {
  closed: failing(CLOSED_BREAKER, 2, 1_000),
  open: opened,
  'half-open': onTrial,
}
const EVENTS: Readonly<Record<BreakerEvent, (breaker: Breaker) => Breaker>> = {
  success: (breaker) => settleCall(breaker, settings, { generation: breaker.generation, result: 'success' }, 2_000),
  // Of a closed one: a failure below the threshold.
  failure: (breaker) =>
    settleCall(
      { ...breaker, failuresInRow: 0 },
      settings,
      { generation: breaker.generation, result: 'failure' },
      2_000,
    ),
  threshold: (breaker) =>
    breaker.status === 'closed'
      ? settleCall(breaker, settings, { generation: breaker.generation, result: 'failure' }, 2_000)
      : settleCall(
          { ...breaker, status: 'open' },
          settings,
          { generation: breaker.generation, result: 'failure' },
          2_000,
        ),
  cooldown: (breaker) => cooled(breaker, 10_000_000),
}

describe('the table of the breaker', () => {
  const cells = Object.entries(NEXT_BREAKER_STATUS).flatMap(([status, row]) =>
    Object.entries(row).map(([event, next]) => ({ status, event, next })),
  ) as { status: BreakerStatus; event: BreakerEvent; next: BreakerStatus }[]

  test('has a cell for every status and event', () => expect(cells).toHaveLength(12))

  test.each(cells)('$status after $event is $next', ({ status, event, next }) => {
    expect(STATUSES[status].status).toBe(status)
    expect(EVENTS[event](STATUSES[status]).status).toBe(next)
  })
})

describe('a breaker', () => {
  it('opens on failures one after the other, and a success between them starts the count again', () => {
    expect(failing(CLOSED_BREAKER, 3, 1_000).status).toBe('open')
    const interrupted = call(failing(CLOSED_BREAKER, 2, 1_000), 'success', 1_000)
    expect(failing(interrupted, 2, 1_000).status).toBe('closed')
  })

  it('opens on the rate of failures from so many calls on, and never on fewer', () => {
    let breaker = CLOSED_BREAKER
    for (let index = 0; index < 4; index += 1) {
      breaker = call(call(breaker, 'failure', 1_000 + index), 'success', 1_000 + index)
    }
    expect(call(breaker, 'failure', 2_000).status).toBe('closed')
    const ninth = call(breaker, 'success', 2_000)
    expect(call(ninth, 'failure', 2_000).status).toBe('open')
  })

  it('forgets what is older than the window', () => {
    let breaker = CLOSED_BREAKER
    for (let index = 0; index < 5; index += 1) breaker = call(call(breaker, 'failure', 0), 'success', 0)
    expect(call(breaker, 'failure', 50_000).status).toBe('open')
    expect(call(breaker, 'failure', 60_000).status).toBe('closed')
  })

  it('says when it lets the next call through, and then lets so many through as may be on trial', () => {
    expect(admitCall(opened, settings, 30_999)).toEqual({ ok: false, retryAtMs: 31_000 })
    expect(onTrial.trials).toBe(1)
    expect(admitCall(onTrial, settings, 31_000)).toEqual({ ok: false, retryAtMs: undefined })
    expect(admitCall(onTrial, { ...settings, halfOpenMax: 2 }, 31_000)).toMatchObject({
      ok: true,
      breaker: { trials: 2 },
    })
  })

  it('gives the place of a trial back if its caller left', () => {
    const left = settleCall(onTrial, settings, { generation: onTrial.generation, result: 'none' }, 31_500)
    expect(left).toMatchObject({ status: 'half-open', trials: 0 })
    expect(admitCall(left, settings, 31_500).ok).toBe(true)
  })

  it('is decided by no call that began before it changed', () => {
    const late = { generation: CLOSED_BREAKER.generation, result: 'success' } as const
    expect(settleCall(onTrial, settings, late, 32_000)).toEqual(onTrial)
    expect(settleCall(onTrial, settings, { ...late, result: 'failure' }, 32_000)).toEqual(onTrial)
    expect(settleCall(opened, settings, { ...late, result: 'failure' }, 20_000)).toEqual(opened)
  })

  it('stays open for a whole while again if its trial fails', () => {
    const again = settleCall(onTrial, settings, { generation: onTrial.generation, result: 'failure' }, 33_000)
    expect(again).toMatchObject({ status: 'open', openUntilMs: 63_000 })
  })

  it('begins with empty counts once it is closed again', () => {
    const closed = settleCall(onTrial, settings, { generation: onTrial.generation, result: 'success' }, 33_000)
    expect(closed).toEqual({ ...CLOSED_BREAKER, generation: onTrial.generation + 1 })
  })

  it('opens on what another instance saw, unless it knows better', () => {
    expect(openByHint(CLOSED_BREAKER, 5_000)).toMatchObject({ status: 'open', openUntilMs: 5_000 })
    expect(openByHint(onTrial, 99_000)).toEqual(onTrial)
    expect(openByHint(opened, 99_000)).toEqual(opened)
  })
})
