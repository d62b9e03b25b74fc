import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSuspension } from '../../src/features/transparency/guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import type { Polled } from '../../src/features/transparency/sequence/poll.js'
import type { Sequenced } from '../../src/features/transparency/sequence/sequence.js'
import { createSequencer } from '../../src/features/transparency/sequence/sequencer.js'
import { createTurns } from '../../src/features/transparency/sequence/turns.js'

const { flushMs, pollMs, expectMsMax } = TRANSPARENCY_LIMITS

beforeEach(() => {
  vi.useFakeTimers()
  // No deviation: a poll comes after exactly its pause.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const now = () => Date.now()
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function openLines() {
  const lines: string[] = []
  const say = (_fields: object, message: string) => void lines.push(message)
  return { lines, logger: { info: say, warn: say } }
}

describe('turns', () => {
  /** Turns that end as told, or after `lastMs`, and ask for the next one in `pauseMs`. */
  function openTurns(
    options: { readonly pauseMs?: number; readonly lastMs?: number; readonly failing?: number[] } = {},
  ) {
    const { pauseMs = 1_000, lastMs = 0, failing = [] } = options
    const begun: number[] = []
    const { lines, logger } = openLines()
    const startedAt = now()
    const turn = async () => {
      begun.push(now() - startedAt)
      const count = begun.length
      if (lastMs > 0) await new Promise((resolve) => setTimeout(resolve, lastMs))
      if (failing.includes(count)) throw new Error('no')
      return pauseMs
    }
    return { begun, lines, turns: createTurns({ turn, now, logger }) }
  }

  it('come one after the other, each as late as the one before asked', async () => {
    const { begun, turns } = openTurns({ pauseMs: 300 })
    await turns.start()
    await pass(1_000)
    expect(begun).toEqual([0, 300, 600, 900])
    await turns.stop()
  })

  it('none begins before the start, whoever asks for one', async () => {
    const { begun, turns } = openTurns({ pauseMs: 300, lastMs: 50 })
    turns.wake(0)
    await pass(500)
    expect(begun).toEqual([])
    const first = turns.start()
    await pass(100)
    await first
    expect(begun).toEqual([500])
    await turns.stop()
  })

  it('come sooner when one is asked for, and never later', async () => {
    const { begun, turns } = openTurns({ pauseMs: 300 })
    await turns.start()
    turns.wake(100)
    turns.wake(200)
    await pass(150)
    expect(begun).toEqual([0, 100])
    turns.wake(1_000)
    await pass(300)
    expect(begun).toEqual([0, 100, 400])
    await turns.stop()
  })

  it('never overlap: what is asked for meanwhile comes behind', async () => {
    const { begun, turns } = openTurns({ pauseMs: 5_000, lastMs: 200 })
    const first = turns.start()
    await pass(100)
    turns.wake(0)
    await pass(50)
    expect(begun).toEqual([0])
    await pass(50)
    await first
    await pass(5)
    expect(begun).toHaveLength(2)
    expect(begun[1]).toBeGreaterThanOrEqual(200)
    await pass(200)
    await turns.stop()
  })

  it('that fail are told once, until one succeeds, and come again after the pause of a poll', async () => {
    const { begun, lines, turns } = openTurns({ pauseMs: 100, failing: [1, 2] })
    await turns.start()
    await pass(2 * pollMs)
    expect(begun).toEqual([0, pollMs, 2 * pollMs])
    expect(lines).toEqual(['the log could not be looked after; trying again', 'the log is looked after again'])
    await turns.stop()
  })

  it('end with the one that is under way', async () => {
    const { begun, turns } = openTurns({ pauseMs: 10, lastMs: 200 })
    void turns.start()
    await pass(100)
    const stopped = turns.stop()
    turns.wake(0)
    await pass(1_000)
    await stopped
    expect(begun).toEqual([0])
  })

  it('that were stopped before they began never begin', async () => {
    const { begun, turns } = openTurns()
    await turns.stop()
    turns.wake(0)
    await pass(10_000)
    expect(begun).toEqual([])
  })
})

describe('the sequencer', () => {
  const head = (size: number) => ({ size, root: new Uint8Array(32).fill(size) })
  const quiet: Polled = { size: 0, pending: 0, waitingMs: 0, hasWork: false }

  /** A sequencer that finds these chunks, one after the other, and then nothing. */
  function openSequencer(outcomes: readonly Sequenced[] = [], polled: Partial<Polled> = {}) {
    const did: string[] = []
    const published: number[] = []
    const world = { polled: { ...quiet, ...polled }, published: true, polls: 0, looks: 0, isAway: false }
    const suspension = createSuspension(() => undefined)
    const { lines, logger } = openLines()
    const sequencer = createSequencer({
      poll: async () => {
        world.polls += 1
        if (world.isAway) throw new Error('away')
        return world.polled
      },
      sequence: async () => {
        const outcome = outcomes[world.looks] ?? ({ status: 'idle' } as const)
        world.looks += 1
        did.push(outcome.status)
        return outcome
      },
      publish: async ({ size }) => {
        published.push(size)
        return world.published
      },
      ...{ suspension, now, logger },
    })
    return { world, did, published, suspension, lines, sequencer }
  }
  const extended = (size: number, isFull = false): Sequenced => ({
    ...{ status: 'extended', head: head(size), leaves: 1, isFull },
  })

  it('without leaves only looks around, once a second', async () => {
    const { world, sequencer } = openSequencer()
    await sequencer.start()
    await pass(10 * pollMs)
    expect([world.polls, world.looks]).toEqual([11, 0])
    expect(sequencer.polled()).toEqual(quiet)
    await sequencer.stop()
  })

  it('takes what a look around finds, at once', async () => {
    const { world, published, sequencer } = openSequencer([extended(3)], { hasWork: true, pending: 3 })
    await sequencer.start()
    expect([world.looks, published]).toEqual([1, [3]])
    await sequencer.stop()
  })

  it('signs a head that has no note before it adds to it', async () => {
    const outcomes: Sequenced[] = [{ status: 'unsigned', head: head(4) }, extended(5)]
    const { did, published, sequencer } = openSequencer(outcomes, { hasWork: true })
    await sequencer.start()
    await pass(0)
    expect(did).toEqual(['unsigned', 'extended'])
    expect(published).toEqual([4, 5])
    await sequencer.stop()
  })

  it('takes full chunks without a pause, and others a flush apart', async () => {
    const { world, published, sequencer } = openSequencer([
      extended(1, true),
      extended(2, true),
      extended(3),
      extended(4),
    ])
    await sequencer.start()
    sequencer.expectLeaves()
    await pass(flushMs)
    await pass(2)
    expect(published).toEqual([1, 2, 3])
    await pass(flushMs - 4)
    expect(published).toHaveLength(3)
    await pass(4)
    expect(published).toEqual([1, 2, 3, 4])
    expect(world.looks).toBe(4)
    await sequencer.stop()
  })

  it('looks for what was announced until it is there, and not for longer than a commit may take', async () => {
    const { world, sequencer } = openSequencer()
    await sequencer.start()
    sequencer.expectLeaves()
    await pass(flushMs * 3)
    expect(world.looks).toBe(3)
    await pass(expectMsMax + 2 * pollMs)
    const { looks } = world
    expect(looks).toBeLessThanOrEqual(Math.ceil(expectMsMax / flushMs) + 2)
    await pass(10 * pollMs)
    expect(world.looks).toBe(looks)
    await sequencer.stop()
  })

  it('rests once it has found what was announced', async () => {
    const { world, sequencer } = openSequencer([extended(1)])
    await sequencer.start()
    sequencer.expectLeaves()
    await pass(flushMs)
    expect(world.looks).toBe(1)
    await pass(pollMs * 5)
    expect(world.looks).toBeLessThanOrEqual(2)
    await sequencer.stop()
  })

  it('comes back a flush later while another session sequences', async () => {
    const outcomes: Sequenced[] = [{ status: 'busy' }, { status: 'busy' }, extended(9)]
    const { did, sequencer } = openSequencer(outcomes, { hasWork: true })
    await sequencer.start()
    await pass(flushMs * 2)
    expect(did).toEqual(['busy', 'busy', 'extended'])
    await sequencer.stop()
  })

  it('does nothing but look around while the history is in question', async () => {
    const outcomes: Sequenced[] = [{ status: 'refused', reason: 'rolled-back' }]
    const { world, suspension, sequencer } = openSequencer(outcomes, { hasWork: true })
    await sequencer.start()
    expect(suspension.reason()).toBe('rolled-back')
    await pass(5 * pollMs)
    expect(world.looks).toBe(1)
    expect(world.polls).toBeGreaterThan(3)
    suspension.bar(null)
    await pass(pollMs)
    expect(world.looks).toBeGreaterThan(1)
    await sequencer.stop()
  })

  it.each([extended(2), { status: 'unsigned', head: head(2) } as const])(
    'is suspended where another root was signed before ($status)',
    async (outcome) => {
      const { world, suspension, sequencer } = openSequencer([outcome], { hasWork: true })
      world.published = false
      await sequencer.start()
      expect(suspension.reason()).toBe('forked')
      await sequencer.stop()
    },
  )

  it('looks around when it is told that others did something', async () => {
    const { world, sequencer } = openSequencer()
    await sequencer.start()
    await pass(pollMs / 2)
    sequencer.lookAround()
    await pass(0)
    expect(world.polls).toBe(2)
    await sequencer.stop()
  })

  it('tries again once a second while the database is away, and says so once', async () => {
    const { world, lines, sequencer } = openSequencer()
    world.isAway = true
    await sequencer.start()
    await pass(4 * pollMs)
    expect(world.polls).toBeGreaterThan(2)
    expect(lines).toHaveLength(1)
    world.isAway = false
    await pass(2 * pollMs)
    expect(lines).toHaveLength(2)
    await sequencer.stop()
  })
})
