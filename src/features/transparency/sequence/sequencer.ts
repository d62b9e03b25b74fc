import type { Suspension } from '../guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { TreeHead } from '../tree-head.js'
import type { Polled } from './poll.js'
import type { Sequenced } from './sequence.js'
import { createTurns, type TurnsLog } from './turns.js'

export type SequencerDeps = {
  readonly poll: () => Promise<Polled>
  readonly sequence: () => Promise<Sequenced>
  /** False if another root was signed at this size. */
  readonly publish: (head: TreeHead) => Promise<boolean>
  readonly suspension: Pick<Suspension, 'isBarred' | 'bar'>
  readonly now: () => number
  readonly logger: TurnsLog
}

export type Sequencer = {
  /** Resolves after the first turn, whatever came of it. */
  start(): Promise<void>
  /** Leaves were appended in a transaction that is about to be committed. */
  expectLeaves(): void
  /** Other instances did something. */
  lookAround(): void
  polled(): Polled | null
  stop(): Promise<void>
}

const { flushMs, pollMs, expectMsMax } = TRANSPARENCY_LIMITS

/**
 * Takes turns: a look around once a second or when asked for, then a chunk of leaves while there are some. Without
 * leaves there is only the look.
 */
export function createSequencer(deps: SequencerDeps): Sequencer {
  const { now } = deps
  let polledAt = Number.NEGATIVE_INFINITY
  let expectedUntil = Number.NEGATIVE_INFINITY
  let polled: Polled | null = null
  const untilPoll = () => Math.max(0, polledAt + pollMs * (0.9 + 0.2 * Math.random()) - now())

  const turn = async (): Promise<number> => {
    const beganAt = now()
    if (untilPoll() === 0) {
      // Before the look: what happens while it is under way asks for another one.
      polledAt = beganAt
      polled = await deps.poll()
      if (deps.suspension.isBarred()) return pollMs
      if (!polled.hasWork && expectedUntil < beganAt) return untilPoll()
    }
    const pauseMs = await takeChunk(deps)
    if (pauseMs === null) return expectedUntil > now() ? Math.min(flushMs, untilPoll()) : untilPoll()
    // What was appended before this turn began is most likely in it; what comes later says so itself.
    if (expectedUntil < beganAt + expectMsMax) expectedUntil = Number.NEGATIVE_INFINITY
    return pauseMs === 0 ? 0 : Math.max(0, beganAt + pauseMs - now())
  }
  const turns = createTurns({ ...deps, turn })

  return {
    start: turns.start,
    expectLeaves: () => {
      expectedUntil = now() + expectMsMax
      turns.wake(flushMs)
    },
    lookAround: () => {
      polledAt = Number.NEGATIVE_INFINITY
      turns.wake(0)
    },
    polled: () => polled,
    stop: turns.stop,
  }
}

/** Sequences and publishes at most one chunk; after how many milliseconds the next may come, null if nothing was found. */
async function takeChunk({ sequence, publish, suspension }: SequencerDeps): Promise<number | null> {
  const outcome = await sequence()
  switch (outcome.status) {
    case 'busy':
      return flushMs
    case 'refused':
      suspension.bar(outcome.reason)
      return pollMs
    case 'idle':
      return null
    case 'unsigned':
      if (await publish(outcome.head)) return 0
      suspension.bar('forked')
      return pollMs
    case 'extended':
      if (await publish(outcome.head)) return outcome.isFull ? 0 : flushMs
      suspension.bar('forked')
      return pollMs
  }
}
