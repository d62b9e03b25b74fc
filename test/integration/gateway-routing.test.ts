import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'
import {
  answerJson,
  type Behaviour,
  beginEvents,
  chunk,
  sendData,
  startUpstream,
  wellBehaved,
} from '../support/local-upstream.js'

const first = await startUpstream(wellBehaved)
const second = await startUpstream(wellBehaved)
/** Each test has backends of its own, so that none hears what another one's failures did. */
const models = Array.from({ length: 12 }, (_, index) => ({
  ...{ model: `m${index}`, tier: 1, cost_per_1k_in: index === 8 ? 9 : 1, cost_per_1k_out: 1 },
}))
const breaker = { failure_threshold: 2, recovery_seconds: 0.3 }
const limited = { limits: { max_in_flight: 1 } }
const world = await startGateway({
  providers: [
    { name: 'first', base_url: first.url, api_key: 'sk-planted-first', models, circuit_breaker: breaker, priority: 1 },
    {
      name: 'second',
      base_url: second.url,
      api_key: 'sk-planted-second',
      models,
      circuit_breaker: breaker,
      priority: 2,
    },
    { name: 'narrow', base_url: first.url, models: [{ model: 'lane' }], ...limited },
    { name: 'away', base_url: 'http://127.0.0.1:9', model: 'gone' },
  ],
})
afterAll(async () => {
  await world.close()
  await first.close()
  await second.close()
})
beforeEach(() => {
  first.behave(wellBehaved)
  second.behave(wellBehaved)
})

const messages = [{ role: 'user', content: 'Who answers this?' }]
const ask = (project: GatewayProject, model: string, more: object = {}) =>
  project.post('/v1/chat/completions', { model, messages, ...more })
const servedBy = (response: Response) => [
  response.status,
  response.headers.get('x-llm-router-model'),
  response.headers.get('x-llm-router-attempts'),
]
const fails =
  (code: number, headers = {}): Behaviour =>
  (outgoing) =>
    answerJson(outgoing, { error: { message: 'Not now', type: 'busy' } }, code, headers)

type Shown = { name: string; status: string; breaker: { status: string; retry_in_ms: number | null } } & Record<
  string,
  unknown
>
async function backendNamed(project: GatewayProject, name: string): Promise<Shown | undefined> {
  const response = await fetch(`${world.url}/v1/backends`, { headers: { Authorization: `Bearer ${project.key}` } })
  expect(response.status).toBe(200)
  return ((await response.json()) as Shown[]).find((backend) => backend.name === name)
}
/** A project whose key is known already. */
async function openProject(): Promise<GatewayProject> {
  const project = world.project()
  await project.bind('unused', ['first:m0'])
  return project
}

describe('a call', () => {
  test('goes to the provider with the lower priority, and to the next one once that fails', async () => {
    const project = world.project()
    expect(servedBy(await ask(project, 'm1'))).toEqual([200, 'first:m1', '1'])
    first.behave(fails(500))
    expect(servedBy(await ask(project, 'm1'))).toEqual([200, 'second:m1', '2'])
    first.behave(wellBehaved)
    expect(servedBy(await ask(project, 'm1'))).toEqual([200, 'second:m1', '1'])
  })

  test('is left alone by a backend whose breaker is open, until that is over', async () => {
    const project = await openProject()
    first.behave(fails(500))
    second.behave(fails(500))
    // Degraded goes after healthy, so both are asked each time.
    for (const _ of [1, 2]) expect(servedBy(await ask(project, 'm2'))).toEqual([502, 'second:m2', '2'])
    const asked = first.arrived.length + second.arrived.length
    const refused = await ask(project, 'm2')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    const problem = (await refused.json()) as { code: string; detail: string }
    expect(problem).toMatchObject({ code: 'upstream-unavailable', error: { type: 'server_error' } })
    expect(problem.detail).toBe('No backend may be asked now: first:m2 failed too often; second:m2 failed too often.')
    expect(first.arrived.length + second.arrived.length).toBe(asked)
    expect(await backendNamed(project, 'first:m2')).toMatchObject({
      ...{ status: 'degraded', total_requests: 2, total_failures: 2, in_flight: 0 },
      breaker: { status: 'open', failures_in_row: 0 },
    })
    first.behave(wellBehaved)
    await eventually(async () => expect(servedBy(await ask(project, 'm2'))).toEqual([200, 'first:m2', '1']))
    expect((await backendNamed(project, 'first:m2'))?.breaker.status).toBe('closed')
    const rows = await project.rows(4)
    expect(rows[2]).toMatchObject({
      provider: 'first',
      metadata: { outcome: 'unavailable', attempts: 0 },
      cost_decimal: '0.000000000000',
    })
  })

  test('is not sent before the time that a backend asked for', async () => {
    const project = await openProject()
    first.behave(fails(429, { 'retry-after': '7' }))
    expect(servedBy(await ask(project, 'first:m3'))).toEqual([429, 'first:m3', '1'])
    first.behave(wellBehaved)
    const refused = await ask(project, 'first:m3')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '7'])
    const waits = (await backendNamed(project, 'first:m3'))?.['asked_to_wait_ms']
    expect(waits).toBeGreaterThan(5_000)
    expect(servedBy(await ask(project, 'm3'))).toEqual([200, 'second:m3', '1'])
  })

  test("that is the caller's fault is asked of no second backend, and held against none", async () => {
    const project = await openProject()
    first.behave(fails(422))
    for (const _ of [1, 2, 3]) expect(servedBy(await ask(project, 'm4'))).toEqual([400, 'first:m4', '1'])
    expect(await backendNamed(project, 'first:m4')).toMatchObject({ status: 'healthy', breaker: { status: 'closed' } })
  })

  test("goes through an alias's list in its order, whatever the providers' priorities", async () => {
    const project = world.project()
    await project.bind('reader', ['second:m5', 'first:m5'])
    expect(servedBy(await ask(project, 'reader'))).toEqual([200, 'second:m5', '1'])
    second.behave(fails(503))
    expect(servedBy(await ask(project, 'reader'))).toEqual([200, 'first:m5', '2'])
  })

  test('takes a lone backend that could not be reached just now: only the breaker leaves it alone', async () => {
    const project = await openProject()
    for (const _ of [1, 2, 3]) expect((await ask(project, 'gone')).status).toBe(502)
    expect(await backendNamed(project, 'away:gone')).toMatchObject({ status: 'down', breaker: { status: 'open' } })
    expect((await ask(project, 'gone')).status).toBe(503)
  })

  test('beyond what a provider may have in flight is refused, and the place is free again after it', async () => {
    const project = world.project()
    let release = (): void => undefined
    first.behave((outgoing, arrived) => {
      release = () => void wellBehaved(outgoing, arrived)
    })
    const held = ask(project, 'lane')
    await eventually(async () => expect(first.arrived.at(-1)?.json['model']).toBe('lane'))
    const refused = await ask(project, 'lane')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    release()
    expect((await held).status).toBe(200)
    first.behave(wellBehaved)
    expect((await ask(project, 'lane')).status).toBe(200)
  })

  test('of a model that nobody serves is refused, and so is an alias to one', async () => {
    const project = world.project()
    await project.bind('lost', ['openai:gpt-nowhere'])
    const [model, alias] = [await ask(project, 'gpt-nowhere'), await ask(project, 'lost')]
    expect([model.status, alias.status]).toEqual([404, 404])
    expect(await alias.json()).toMatchObject({ detail: expect.stringContaining("what 'lost' is bound to") })
  })
})

describe('a stream', () => {
  test('falls back as long as no content came', async () => {
    first.behave((outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ role: 'assistant', content: '' }))
      outgoing.end()
    })
    const response = await ask(world.project(), 'm6', { stream: true })
    expect(servedBy(response)).toEqual([200, 'second:m6', '2'])
    expect(await response.text()).toContain('[DONE]')
  })

  test('that breaks off in its middle is counted as a failure of its backend', async () => {
    const project = await openProject()
    first.behave((outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ content: 'Four' }))
      outgoing.write(' ', () => outgoing.destroy())
    })
    for (const _ of [1, 2]) {
      const response = await ask(project, 'first:m7', { stream: true })
      expect(response.status).toBe(200)
      const text = await response.text()
      expect(text).toContain('error')
      expect(text).not.toContain('[DONE]')
    }
    await eventually(async () => {
      expect(await backendNamed(project, 'first:m7')).toMatchObject({ total_failures: 2, breaker: { status: 'open' } })
    })
  })
})

test('what backends are is told to keys of projects, without any credential', async () => {
  expect((await fetch(`${world.url}/v1/backends`)).status).toBe(401)
  const project = await openProject()
  const headers = { Authorization: `Bearer ${project.key}` }
  const text = await (await fetch(`${world.url}/v1/backends`, { headers })).text()
  expect(text).not.toContain('planted')
  expect(text).not.toContain('127.0.0.1')
  expect(JSON.parse(text)).toHaveLength(26)
})
