import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createRedisAnswers } from '../../src/features/gateway/cache/redis-answers.js'
import { eventually } from '../support/eventually.js'
import { type GatewayWorld, startGateway } from '../support/gateway-world.js'
import { type LocalUpstream, startUpstream, wellBehaved } from '../support/local-upstream.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'

const CHAT = '/v1/chat/completions'
const say = (content: string) => ({ model: 'small', temperature: 0, messages: [{ role: 'user', content }] })

describe.skipIf(REDIS_MISSING !== null)('answers in Redis', () => {
  let redis: TestRedis
  let client: Redis
  let upstream: LocalUpstream
  let world: GatewayWorld
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
    // It is taken away below.
    client.on('error', () => undefined)
    upstream = await startUpstream(wellBehaved)
    const providers = [{ name: 'local', base_url: upstream.url, models: [{ model: 'small' }] }]
    world = await startGateway({ providers, cache: { backend: 'redis' } }, { LLMRING_REDIS_URL: redis.url })
  })
  afterAll(async () => {
    client.disconnect()
    await world.close()
    await upstream.close()
    redis.thaw()
    await redis.close()
  })

  const ask = async (project: ReturnType<GatewayWorld['project']>, content: string) => {
    const response = await project.post(CHAT, say(content))
    await response.text()
    return `${response.status} ${response.headers.get('x-llm-router-cache')}`
  }
  const answers = (entriesMax: number, now = Date.now) => createRedisAnswers(client, entriesMax, now)
  const project = (name: string) => name as unknown as ProjectId

  test('are found by another instance, for their time, and by no other project', async () => {
    const [one, other] = [answers(10), answers(10)]
    await one.set(project('p1'), 'a', 'text', 60_000)
    expect(await other.get(project('p1'), 'a')).toBe('text')
    expect(await other.get(project('p2'), 'a')).toBeNull()
    await one.set(project('p1'), 'b', 'brief', 20)
    await eventually(async () => expect(await other.get(project('p1'), 'b')).toBeNull())
    expect(await other.get(project('p1'), 'a')).toBe('text')
  })

  test('are so many of a project at most, and leave nothing behind', async () => {
    const store = answers(3)
    for (let at = 0; at < 10; at += 1) await store.set(project('many'), String(at), 'x', 60_000 + at)
    await store.set(project('few'), 'a', 'x', 60_000)
    const keys = await client.keys('llmring:answers:{many}:*')
    expect(keys).toHaveLength(4)
    expect(await store.get(project('many'), '9')).toBe('x')
    expect(await store.get(project('many'), '0')).toBeNull()
    expect(await store.get(project('few'), 'a')).toBe('x')
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0)
  })

  test('are erased with their project, so many at once', async () => {
    const store = answers(10)
    for (const digest of ['a', 'b', 'c']) await store.set(project('leaving'), digest, 'x', 60_000)
    await store.set(project('staying'), 'a', 'x', 60_000)
    expect(await store.erase(project('leaving'), 2)).toBe(2)
    expect(await store.erase(project('leaving'), 2)).toBe(1)
    expect(await store.erase(project('leaving'), 2)).toBe(0)
    expect(await client.keys('llmring:answers:{leaving}:*')).toEqual([])
    expect(await store.get(project('staying'), 'a')).toBe('x')
  })

  test('are shared through the service, which writes no prompt and no key there', async () => {
    const caller = world.project()
    expect(await ask(caller, 'What is the capital of France?')).toBe('200 MISS')
    await eventually(async () => expect(await ask(caller, 'What is the capital of France?')).toBe('200 HIT'))
    expect(await ask(caller, "What's France's capital?")).toBe('200 SEMANTIC')
    const keys = await client.keys('llmring:answers:*')
    const values = await Promise.all(keys.map((key) => client.get(key).catch(() => '')))
    const all = [...keys, ...values].join(' ')
    expect(all).toContain('Four words of answer')
    expect(all).not.toContain('capital of France?')
    expect(all).not.toContain(caller.key)
  })

  test('are not waited for while Redis hangs, and not missed once it is gone', async () => {
    const caller = world.project()
    await ask(caller, 'first')
    redis.freeze()
    expect(await ask(caller, 'second')).toBe('200 MISS')
    expect(await ask(caller, 'second')).toBe('200 MISS')
    redis.thaw()
    await redis.kill()
    expect(await ask(caller, 'third')).toBe('200 MISS')
    expect(await ask(caller, 'third')).toBe('200 MISS')
    expect(await caller.rows(5)).toHaveLength(5)
  })
})

test('a cache in Redis without a Redis keeps the service from starting', async () => {
  const providers = [{ name: 'echo', type: 'echo', models: [{ model: 'parrot' }] }]
  await expect(startGateway({ providers, cache: { backend: 'redis' } })).rejects.toThrow('LLMRING_REDIS_URL')
})
