import { describe, expect, test } from 'vitest'
import { createTape, TapeLag } from '../../src/features/gateway/cache/tape.js'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'

/** A source that is told what to give, and counts how often it is asked. */
function source(chunks: readonly string[], failure?: Error) {
  const asked = { count: 0 }
  async function* give(): AsyncGenerator<string> {
    for (const chunk of chunks) {
      asked.count += 1
      yield chunk
    }
    if (failure !== undefined) throw failure
  }
  return { asked, frames: give() }
}

async function all(frames: AsyncGenerator<string>): Promise<string> {
  let text = ''
  for await (const frame of frames) text += frame
  return text
}

describe('a tape', () => {
  test('is read by each from its beginning, and its source once', async () => {
    const { asked, frames } = source(['a', 'b', 'c'])
    const tape = createTape(frames)
    const first = tape.read()
    expect((await first.next()).value).toBe('a')
    expect(await all(tape.read())).toBe('abc')
    expect(await all(first)).toBe('bc')
    expect(asked.count).toBe(3)
    expect(await tape.kept).toBe('abc')
  })

  test('gives several who wait at once the same', async () => {
    const tape = createTape(source(['a', 'b']).frames)
    expect(await Promise.all([all(tape.read()), all(tape.read()), all(tape.read())])).toEqual(['ab', 'ab', 'ab'])
  })

  test('reads its source no further than its first reader wants', async () => {
    const { asked, frames } = source(['a', 'b', 'c'])
    const tape = createTape(frames)
    const reader = tape.read()
    await reader.next()
    expect(asked.count).toBe(1)
    await Promise.all([reader.next(), reader.next(), tape.read().next()])
    await Promise.all([tape.read(), tape.read()].map(async (one) => [await one.next(), await one.next()]))
    expect(asked.count).toBe(3)
  })

  test('asks its source once for all who wait for the same', async () => {
    const { asked, frames } = source(['a', 'b', 'c'])
    const tape = createTape(frames)
    await Promise.all([tape.read(), tape.read(), tape.read()].map((reader) => reader.next()))
    expect(asked.count).toBe(1)
    const other = tape.read()
    await other.next()
    expect(asked.count).toBe(1)
    await other.next()
    expect(asked.count).toBe(2)
  })

  test('comes to its end without a reader if it is drained', async () => {
    const tape = createTape(source(['a', 'b']).frames)
    const reader = tape.read()
    await reader.next()
    await tape.drain()
    expect(await tape.kept).toBe('ab')
    expect(await all(reader)).toBe('b')
  })

  test('keeps nothing of a source that failed, and tells its readers', async () => {
    const tape = createTape(source(['a'], new Error('cut')).frames)
    const reader = tape.read()
    expect((await reader.next()).value).toBe('a')
    await expect(reader.next()).rejects.toThrow('cut')
    expect(await tape.kept).toBeNull()
  })

  test('of an empty source is empty', async () => {
    const tape = createTape(source([]).frames)
    expect(await all(tape.read())).toBe('')
    expect(await tape.kept).toBe('')
  })

  test('cuts off who is too far behind, keeps no more than it may, and lets the first read on', async () => {
    const chunk = 'x'.repeat(GATEWAY_LIMITS.tapeCharactersMax / 4)
    const tape = createTape(source(new Array(10).fill(chunk)).frames)
    const slow = tape.read()
    await slow.next()
    expect((await all(tape.read())).length).toBe(10 * chunk.length)
    await expect(slow.next()).rejects.toThrow(TapeLag)
    await expect(tape.read().next()).rejects.toThrow(TapeLag)
    expect(await tape.kept).toBeNull()
  })

  test('says that it is too long as soon as it is', async () => {
    let giveMore: () => void = () => undefined
    const more = new Promise<void>((resolve) => {
      giveMore = resolve
    })
    async function* give(): AsyncGenerator<string> {
      yield 'x'.repeat(GATEWAY_LIMITS.tapeCharactersMax)
      yield 'y'
      await more
      yield 'z'
    }
    const reader = createTape(give())
    const frames = reader.read()
    await frames.next()
    await frames.next()
    expect(await reader.kept).toBeNull()
    giveMore()
    expect(await all(frames)).toBe('z')
  })
})
