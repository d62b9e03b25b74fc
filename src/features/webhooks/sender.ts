import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Transact } from '../../db/transact.js'
import { every } from '../../platform/every.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { SendingStore } from './sending-store.js'
import type { Claim, Outcome, Settled } from './webhook.js'

export type SenderDeps = {
  readonly transact: Transact
  readonly store: SendingStore
  readonly deliver: (claim: Claim, signal: AbortSignal) => Promise<Outcome>
  readonly onSettled: (claim: Claim, outcome: Outcome, settled: Settled) => void
  readonly logger: Logger
}

export type Sender = {
  start(): void
  /** Looks now for what is due, instead of at the next turn. */
  wake(): void
  /** Attempts under way get a moment, and are broken off then. */
  stop(): Promise<void>
  readonly underWay: () => number
}

const { sendsMax, slowSendsMax, pollPauseMs, closeMsMax } = WEBHOOK_LIMITS

/**
 * Sends what is due, to each project's receiver one delivery at a time and in order, at least once. No transaction is
 * open while a receiver is waited for.
 *
 * Crash before the claim's commit: nothing happened. After it, or during the attempt, or before the outcome's commit:
 * the lease ends, and an instance sends the delivery (once more). After that commit: it is done.
 */
export function createSender(deps: SenderDeps): Sender {
  const underWay = createUnderWay()
  const stopping = new AbortController()
  const breakOff = new AbortController()
  // Every attempt listens to it.
  setMaxListeners(0, breakOff.signal)

  const launch = (claim: Claim, slow: boolean): void => {
    underWay.add(attemptOnce(deps, claim, breakOff.signal), slow, (more, wasFull) => {
      if (more || wasFull) wake()
    })
  }
  const look = onceAtATime(() => claimDue(deps.store, underWay, stopping.signal, launch))
  const wake = (): void => {
    // A failure is told of at the next turn, which meets the same.
    if (!stopping.signal.aborted) look().catch(() => undefined)
  }
  const turns = every({ name: 'look for webhook deliveries', run: look, pauseMs: pollPauseMs, logger: deps.logger })
  return {
    start: () => void turns.start(),
    wake,
    underWay: underWay.size,
    stop: async () => {
      stopping.abort()
      await turns.stop()
      await look().catch(() => undefined)
      const timer = setTimeout(() => breakOff.abort(), closeMsMax)
      await underWay.idle()
      clearTimeout(timer)
    },
  }
}

type UnderWay = ReturnType<typeof createUnderWay>

/** The attempts under way, and how many of them are to receivers that were slow. */
function createUnderWay() {
  const all = new Map<Promise<unknown>, boolean>()
  return {
    size: () => all.size,
    slow: () => [...all.values()].filter((slow) => slow).length,
    /** `onEnd` is called once the attempt does not count any more; `wasFull`: no other had room beside it. */
    add: <T>(attempt: Promise<T>, slow: boolean, onEnd: (result: T, wasFull: boolean) => void): void => {
      const ended = attempt.then((result) => {
        const wasFull = all.size === sendsMax
        all.delete(ended)
        onEnd(result, wasFull)
      })
      all.set(ended, slow)
    },
    idle: () => Promise.all(all.keys()),
  }
}

/** Those that were slow the last time get a share, so that they hold the others up as little as they can. */
async function claimDue(
  store: SendingStore,
  underWay: UnderWay,
  stopping: AbortSignal,
  launch: (claim: Claim, slow: boolean) => void,
): Promise<void> {
  for (const slow of [false, true]) {
    const free = sendsMax - underWay.size()
    const room = slow ? Math.min(free, slowSendsMax - underWay.slow()) : free
    const due = room > 0 && !stopping.aborted ? await store.listDue(slow, room) : []
    for (const one of due) {
      if (stopping.aborted) return
      const claim = await store.claim(one, randomUUID())
      if (claim !== undefined) launch(claim, slow)
    }
  }
}

/** Whether more is due for the same receiver. Never rejects: what is not written down is sent again after its lease. */
async function attemptOnce(deps: SenderDeps, claim: Claim, signal: AbortSignal): Promise<boolean> {
  try {
    const outcome = await deps.deliver(claim, signal)
    const settled = await deps.transact((tx) => deps.store.settle(tx, claim, outcome))
    if (settled !== undefined) deps.onSettled(claim, outcome, settled)
    return settled?.more ?? false
  } catch (error) {
    deps.logger.warn({ error: describeError(error) }, 'could not write down what became of a webhook delivery')
    return false
  }
}

/** The work, one run at a time, and one more after it if it was asked for meanwhile. */
function onceAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let isAsked = false
  const run = async (): Promise<void> => {
    try {
      while (isAsked) {
        isAsked = false
        await work()
      }
    } finally {
      // Not a moment later: who asks from here on begins anew.
      running = undefined
    }
  }
  return () => {
    isAsked = true
    running ??= run()
    return running
  }
}
