import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, type GatewayWorld, startGateway } from '../support/gateway-world.js'
import { answerJson, type LocalUpstream, startUpstream } from '../support/local-upstream.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'

const messages = [{ role: 'user', content: 'Hello' }]
type Shown = {
  readonly name: string
  readonly breaker: { readonly status: string; readonly retry_in_ms: number | null }
}

describe.skipIf(REDIS_MISSING !== null)('two instances of the service with one Redis', () => {
  let redis: TestRedis
  let upstream: LocalUpstream
  let worlds: GatewayWorld[]
  let [one, two]: GatewayProject[] = []
  beforeAll(async () => {
    redis = await startRedis()
    upstream = await startUpstream((outgoing) => answerJson(outgoing, { error: { message: 'Out of order' } }, 500))
    const other = await startUpstream((outgoing) => answerJson(outgoing, {}, 500))
    const start = (elsewhere: string) =>
      startGateway(
        {
          providers: [
            { name: 'local', base_url: upstream.url, models: [{ model: 'a' }, { model: 'b' }, { model: 'c' }] },
            // Of one name, and not the same.
            { name: 'own', base_url: elsewhere, model: 'a' },
          ],
          breaker: { failure_threshold: 2, recovery_seconds: 600 },
        },
        { LLMRING_REDIS_URL: redis.url },
      )
    worlds = [await start(upstream.url), await start(other.url)]
    await other.close()
    ;[one, two] = worlds.map((world) => world.project())
  })
  afterAll(async () => {
    for (const world of worlds) await world.close()
    await upstream.close()
    await redis.close()
  })

  const call = async (project: GatewayProject | undefined, model: string) => {
    const response = await project?.post('/v1/chat/completions', { model, messages })
    await response?.text()
    return response?.status
  }
  const breakerAt = async (at: number, name: string): Promise<Shown['breaker'] | undefined> => {
    const [world, project] = [worlds[at], at === 0 ? one : two]
    const response = await fetch(`${world?.url}/v1/backends`, { headers: { Authorization: `Bearer ${project?.key}` } })
    const shown = (await response.json()) as readonly Shown[]
    return shown.find((backend) => backend.name === name)?.breaker
  }

  test('ask a backend no more after one of them found it out of order, unless it is another one of that name', async () => {
    for (const model of ['own:a', 'local:a']) for (let at = 0; at < 2; at += 1) expect(await call(one, model)).toBe(502)
    expect((await breakerAt(0, 'local:a'))?.status).toBe('open')
    await eventually(async () => expect((await breakerAt(1, 'local:a'))?.status).toBe('open'))
    const asked = upstream.arrived.length
    expect(await call(two, 'local:a')).toBe(503)
    expect(upstream.arrived).toHaveLength(asked)
    expect((await breakerAt(1, 'local:a'))?.retry_in_ms).toBeGreaterThan(60_000)
    expect((await breakerAt(1, 'local:b'))?.status).toBe('closed')
    // Heard of in the same turn as the other, had it been the same.
    expect((await breakerAt(1, 'own:a'))?.status).toBe('closed')
  })

  test('each find out for themselves while Redis hangs or is gone, and answer as ever', async () => {
    redis.freeze()
    for (let at = 0; at < 2; at += 1) expect(await call(one, 'local:b')).toBe(502)
    expect((await breakerAt(0, 'local:b'))?.status).toBe('open')
    expect((await breakerAt(1, 'local:b'))?.status).toBe('closed')
    redis.thaw()
    await redis.kill()
    for (let at = 0; at < 2; at += 1) expect(await call(one, 'local:c')).toBe(502)
    expect((await breakerAt(0, 'local:c'))?.status).toBe('open')
    for (let at = 0; at < 2; at += 1) expect(await call(two, 'local:c')).toBe(502)
    expect((await breakerAt(1, 'local:c'))?.status).toBe('open')
  })
})
