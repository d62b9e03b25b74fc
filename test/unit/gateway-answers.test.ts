import { describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type CachedAnswer, createAnswerCache } from '../../src/features/gateway/cache/answer-cache.js'
import { isRepeatable, readCacheWish } from '../../src/features/gateway/cache/cache-wish.js'
import { type AnswerStore, createMemoryAnswers } from '../../src/features/gateway/cache/memory-answers.js'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'

const [ONE, OTHER] = ['project-1', 'project-2'] as unknown as [ProjectId, ProjectId]
const answer = (text: string): CachedAnswer => ({
  ...{ text, provider: 'local', model: 'small', cost: '0.5' },
  headers: { 'X-LLM-Router-Tier': '2' },
})
const keys = (exact: string, key = 'similar', words: readonly string[] = ['capital', 'france']) => ({
  exact,
  similar: { key, words },
})
const wish = (headers: Record<string, string>) => readCacheWish((name) => headers[name])

describe('answers in memory', () => {
  test('belong to a project', async () => {
    const store = createMemoryAnswers(10)
    await store.set(ONE, 'a', 'text', 60_000)
    expect([await store.get(ONE, 'a'), await store.get(OTHER, 'a'), await store.get(ONE, 'b')]).toEqual([
      'text',
      null,
      null,
    ])
  })

  test('are so many at most: the one that was asked for least recently goes', async () => {
    const store = createMemoryAnswers(2)
    await store.set(ONE, 'a', '1', 60_000)
    await store.set(ONE, 'b', '2', 60_000)
    await store.get(ONE, 'a')
    await store.set(ONE, 'c', '3', 60_000)
    expect([await store.get(ONE, 'a'), await store.get(ONE, 'b'), await store.get(ONE, 'c')]).toEqual(['1', null, '3'])
  })

  test('take so many bytes at most', async () => {
    const store = createMemoryAnswers(1_000_000)
    const text = 'x'.repeat(GATEWAY_LIMITS.cachedCharactersMax)
    const count = Math.ceil(GATEWAY_LIMITS.cacheBytesMax / (2 * text.length)) + 2
    for (let at = 0; at < count; at += 1) await store.set(ONE, String(at), text, 60_000)
    const kept = await Promise.all(Array.from({ length: count }, (_, at) => store.get(ONE, String(at))))
    const bytes = kept.reduce((sum, one) => sum + 2 * (one?.length ?? 0), 0)
    expect(bytes).toBeLessThanOrEqual(GATEWAY_LIMITS.cacheBytesMax)
    expect(kept.at(-1)).toBe(text)
    expect(kept[0]).toBeNull()
  })
})

describe('erasing answers in memory', () => {
  test('takes those of one project, so many at once, and says when none is left', async () => {
    const store = createMemoryAnswers(10)
    for (const digest of ['a', 'b', 'c']) await store.set(ONE, digest, digest, 60_000)
    await store.set(OTHER, 'a', 'kept', 60_000)
    expect(await store.erase(ONE, 2)).toBe(2)
    expect(await store.erase(ONE, 2)).toBe(1)
    expect(await store.erase(ONE, 2)).toBe(0)
    expect(await Promise.all(['a', 'b', 'c'].map((digest) => store.get(ONE, digest)))).toEqual([null, null, null])
    expect(await store.get(OTHER, 'a')).toBe('kept')
  })

  test('does not count what was forgotten before, and finds what was kept again', async () => {
    const store = createMemoryAnswers(2)
    for (const digest of ['a', 'b', 'c']) await store.set(ONE, digest, digest, 60_000)
    await store.set(ONE, 'c', 'again', 60_000)
    expect(await store.erase(ONE, 10)).toBe(2)
    expect(await store.get(ONE, 'c')).toBeNull()
  })
})

describe('the cache of answers', () => {
  test('finds the same request, and the same question in other words', async () => {
    const cache = createAnswerCache(createMemoryAnswers(10), 0.85)
    await cache.keep(ONE, keys('one'), answer('Paris'), 60_000)
    expect(await cache.find(ONE, keys('one'))).toEqual({ how: 'HIT', answer: answer('Paris') })
    expect(await cache.find(ONE, keys('two'))).toEqual({ how: 'SEMANTIC', answer: answer('Paris') })
    expect(await cache.find(ONE, { exact: 'two' })).toBeNull()
    expect(await cache.find(ONE, keys('two', 'another question'))).toBeNull()
    expect(await cache.find(OTHER, keys('one'))).toBeNull()
  })

  test('wants the words of two questions to be alike', async () => {
    const cache = createAnswerCache(createMemoryAnswers(10), 0.85)
    await cache.keep(ONE, keys('one'), answer('Paris'), 60_000)
    expect(await cache.find(ONE, keys('two', 'similar', ['capital', 'peru']))).toBeNull()
    // Two words of three.
    expect(await cache.find(ONE, keys('two', 'similar', ['capital', 'france', 'old']))).toBeNull()
  })

  test('keeps no answer that is too long', async () => {
    const cache = createAnswerCache(createMemoryAnswers(10), 0.85)
    await cache.keep(ONE, keys('one'), answer('x'.repeat(GATEWAY_LIMITS.cachedCharactersMax)), 60_000)
    expect(await cache.find(ONE, keys('one'))).toBeNull()
  })

  test.each([
    '',
    'null',
    '{',
    '[]',
    '{"text":1}',
    '{"digest":"x"}',
    '{"digest":"gone","words":["capital","france"]}',
    JSON.stringify({ ...answer('x'), more: 1 }),
    JSON.stringify({ ...answer('x'), cost: 'NaN' }),
    JSON.stringify({ ...answer('x'), cost: '-0.5' }),
    JSON.stringify({ ...answer('x'), headers: { 'Content-Length': '3' } }),
    JSON.stringify({ ...answer('x'), headers: { 'X-LLM-Router-Tier': '2\r\nSet-Cookie: a=b' } }),
  ])('takes %s in the store for nothing', async (text) => {
    const strange: AnswerStore = { get: async () => text, set: async () => undefined, erase: async () => 0 }
    expect(await createAnswerCache(strange, 0).find(ONE, keys('one'))).toBeNull()
  })

  test('does not write a prompt or a key where it keeps the answer', async () => {
    const written: string[] = []
    const spy: AnswerStore = {
      get: async () => null,
      set: async (_, digest, value) => void written.push(digest, value),
      erase: async () => 0,
    }
    await createAnswerCache(spy, 0.85).keep(ONE, keys('the secret prompt', 'the secret form'), answer('Paris'), 1_000)
    expect(written).toHaveLength(4)
    expect(written.join(' ')).not.toContain('secret')
  })
})

describe('what a caller wants of the cache', () => {
  test('is to be read and written if it says nothing', () => {
    expect(wish({})).toEqual({ asked: false, reads: true, writes: true, ttlSeconds: null })
  })

  test.each(['x-llm-router-cache', 'cache-control'])('is said in %s', (name) => {
    expect(wish({ [name]: 'no-cache' })).toMatchObject({ reads: false, writes: true })
    expect(wish({ [name]: 'No-Store, max-age=0' })).toMatchObject({ reads: false, writes: false })
    expect(wish({ [name]: 'no-storehouse' })).toMatchObject({ reads: true, writes: true })
  })

  test('may be an answer that is not the same each time', () => {
    expect(isRepeatable({ temperature: 0 }, wish({}))).toBe(true)
    expect(isRepeatable({ temperature: 0.1 }, wish({}))).toBe(false)
    expect(isRepeatable({ temperature: '0' }, wish({}))).toBe(false)
    expect(isRepeatable({}, wish({}))).toBe(false)
    expect(isRepeatable({}, wish({ 'x-llm-router-cache': 'use' }))).toBe(true)
  })

  test('is kept for a bounded time, and not at all for no time', () => {
    const ttl = (value: string) => wish({ 'x-llm-router-cache-ttl': value })
    expect(ttl('60').ttlSeconds).toBe(60)
    expect(ttl('999999999').ttlSeconds).toBe(GATEWAY_LIMITS.cacheTtlSecondsMax)
    expect(ttl('0')).toMatchObject({ reads: false, writes: false })
    for (const wrong of ['', '-1', '1.5', 'soon', '1e9', '9999999999']) expect(ttl(wrong).ttlSeconds).toBeNull()
  })
})
