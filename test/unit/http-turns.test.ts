import { afterEach, describe, expect, test, vi } from 'vitest'
import { createContext, endHandling, endRequest } from '../../src/http/request-context.js'
import { createTurns } from '../../src/http/turns.js'

const draining = new AbortController().signal
const newNote = () => createContext({ requestId: 'a', startedAt: 0, address: '192.0.2.1', draining })

/** Asks for turns in the order of the sizes, and notes whose came and whose did not. */
function crowd(sizes: readonly number[], { waitMsMax = 1_000, stepBytesMax = 1_000 } = {}) {
  const turns = createTurns({ bytesMax: 100, stepBytesMax, waitMsMax })
  const seen: string[] = []
  const notes = sizes.map((bytes, at) => {
    const context = newNote()
    const name = String.fromCharCode(97 + at)
    turns.take(bytes, context).then(
      () => seen.push(name),
      (error: { code: string }) => seen.push(`${name}: ${error.code}`),
    )
    return context
  })
  const end = async (at: number) => {
    endRequest(notes[at] as (typeof notes)[number], true)
    await Promise.resolve()
    await Promise.resolve()
  }
  return { turns, seen, end }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('turns for large bodies', () => {
  test('come in order, as far as they fit together, when a request before is over', async () => {
    const { seen, end } = crowd([60, 50, 10, 40])
    await Promise.resolve()
    expect(seen).toEqual(['a'])
    await end(0)
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })

  test('that may all begin come in steps, between which the event loop goes on', async () => {
    const { seen } = crowd([10, 10, 10, 10, 30, 5], { stepBytesMax: 25 })
    await Promise.resolve()
    expect(seen).toEqual(['a', 'b'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('come to a body that is larger than all may be, alone', async () => {
    const { seen, end } = crowd([1, 500, 1])
    await Promise.resolve()
    expect(seen).toEqual(['a'])
    await end(0)
    expect(seen).toEqual(['a', 'b'])
    await end(1)
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  test('are not waited for by a request that is over, nor kept by it', async () => {
    const { turns, seen, end } = crowd([100, 100, 100])
    await end(1)
    expect(seen).toEqual(['a', 'b: overloaded'])
    await end(0)
    await end(2)
    expect(seen).toEqual(['a', 'b: overloaded', 'c'])
    const late = newNote()
    endRequest(late, false)
    await expect(turns.take(100, late)).rejects.toMatchObject({ code: 'overloaded' })
    await expect(turns.take(100, newNote())).resolves.toBeUndefined()
  })

  test('end when the handler is done with the body: its response may wait for its reader', async () => {
    const turns = createTurns({ bytesMax: 100, stepBytesMax: 1_000, waitMsMax: 10 })
    const context = newNote()
    await turns.take(100, context)
    endHandling(context)
    await expect(turns.take(100, newNote())).resolves.toBeUndefined()
    endRequest(context, true)
    await expect(turns.take(100, newNote())).rejects.toMatchObject({ code: 'overloaded' })
  })

  test('are waited for only so long, and nothing is given back that was not taken', async () => {
    vi.useFakeTimers()
    const { turns, seen, end } = crowd([60, 60, 60], { waitMsMax: 5_000 })
    await vi.advanceTimersByTimeAsync(4_999)
    expect(seen).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(2)
    expect(seen).toEqual(['a', 'b: overloaded', 'c: overloaded'])
    await end(1)
    await end(2)
    void turns.take(60, newNote()).then(() => seen.push('d'))
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).not.toContain('d')
    await end(0)
    expect(seen.at(-1)).toBe('d')
  })
})
