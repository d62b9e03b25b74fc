import { describe, expect, it, vi } from 'vitest'
import { EmbeddedError } from '../../src/db/embedded/embedded-error.js'
import { EMBEDDED_LIMITS } from '../../src/db/embedded/limits.js'
import type { Ownership } from '../../src/db/embedded/ownership.js'
import { type SuperviseDeps, supervise } from '../../src/db/embedded/supervise.js'
import { eventually } from '../support/eventually.js'

/** An ownership that is lost when the test says so. */
function ownership() {
  let lose: () => void = () => undefined
  const lost = new Promise<void>((resolve) => {
    lose = resolve
  })
  const held: Ownership = { lost, release: vi.fn(async () => undefined) }
  return { held, lose }
}

function deps(changes: Partial<SuperviseDeps>): SuperviseDeps {
  const unexpected = async () => {
    throw new Error('not expected')
  }
  return {
    reacquire: unexpected,
    pause: async () => undefined,
    log: () => undefined,
    onRestarted: () => undefined,
    onLost: () => undefined,
    ...changes,
  }
}

describe('the watch over an owned PostgreSQL', () => {
  it('gives up, once and aloud, on one that keeps dying, after waiting longer each time', async () => {
    const waits: number[] = []
    const onRestarted = vi.fn()
    const lost = new Promise<EmbeddedError>((onLost) => {
      const first = ownership()
      supervise(
        first.held,
        deps({
          onLost,
          onRestarted,
          pause: async (ms) => void waits.push(ms),
          reacquire: async () => {
            const next = ownership()
            next.lose()
            return next.held
          },
        }),
      )
      first.lose()
    })
    expect(await lost).toMatchObject({ code: 'start-failed' })
    expect(onRestarted).toHaveBeenCalledTimes(EMBEDDED_LIMITS.restartsMax)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(waits.at(0)).toBeLessThan(waits.at(-1) ?? 0)
    expect(waits.at(-1)).toBeLessThanOrEqual(EMBEDDED_LIMITS.backoffMsMax)
  })

  it('does not stop what another service took over meanwhile', async () => {
    const first = ownership()
    const refusal = new EmbeddedError('in-use', 'taken')
    const lost = vi.fn()
    const supervision = supervise(
      first.held,
      deps({
        onLost: lost,
        reacquire: async () => {
          throw refusal
        },
      }),
    )
    first.lose()
    await eventually(() => expect(lost).toHaveBeenCalledExactlyOnceWith(refusal))
    expect(await supervision.stop()).toBeUndefined()
    expect(first.held.release).toHaveBeenCalledOnce()
  })

  it('hands the last hold back when it is stopped, and calls a restart under way off', async () => {
    const quiet = ownership()
    expect(await supervise(quiet.held, deps({})).stop()).toBe(quiet.held)

    const first = ownership()
    const onLost = vi.fn()
    let begun: () => void = () => undefined
    const reacquiring = new Promise<void>((resolve) => {
      begun = resolve
    })
    const supervision = supervise(
      first.held,
      deps({
        onLost,
        reacquire: (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('called off')))
            begun()
          }),
      }),
    )
    first.lose()
    await reacquiring
    expect(await supervision.stop()).toBeUndefined()
    expect(onLost).not.toHaveBeenCalled()
  })

  it('goes on when the one who is told about a restart fails', async () => {
    const [first, second] = [ownership(), ownership()]
    const log = vi.fn()
    const supervision = supervise(
      first.held,
      deps({
        log,
        reacquire: async () => second.held,
        onRestarted: () => {
          throw new Error('the listener is broken')
        },
      }),
    )
    first.lose()
    await eventually(() => expect(JSON.stringify(log.mock.calls)).toContain('the listener is broken'))
    expect(await supervision.stop()).toBe(second.held)
  })
})
