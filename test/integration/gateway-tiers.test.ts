import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'

const providers = [
  {
    ...{ name: 'echo', type: 'echo' },
    models: [
      { model: 'easy', tier: 1, cost_per_1k_in: 1, cost_per_1k_out: 1 },
      { model: 'fair', tier: 2, cost_per_1k_in: 2, cost_per_1k_out: 2 },
      { model: 'fairer', tier: 2, cost_per_1k_in: 1.5, cost_per_1k_out: 1.5 },
      { model: 'deep', tier: 3, cost_per_1k_in: 9, cost_per_1k_out: 9 },
    ],
  },
]
const cache = { enabled: false }
const world = await startGateway({ providers, cache }, { LLMRING_ROUTER_DEFAULT_MODEL: 'whatever-fits' })
afterAll(() => world.close())

const ask = (project: GatewayProject, content: string, more: object = {}) =>
  project.post('/v1/chat/completions', { messages: [{ role: 'user', content }], ...more })
const routed = (response: Response) => [
  response.headers.get('x-llm-router-model'),
  response.headers.get('x-llm-router-tier'),
]
const scoreOf = (response: Response) => Number(response.headers.get('x-llm-router-score') ?? Number.NaN)
type Learned = { threshold: number; tier1_max: number; tier2_max: number }
const judge = (project: GatewayProject, json: object) => project.post('/v1/feedback', json)
const learn = async (project: GatewayProject, json: object) => (await (await judge(project, json)).json()) as Learned

describe('a request that leaves the model to the service', () => {
  test('goes to the cheapest backend of the tier that it needs', async () => {
    const project = world.project()
    for (const model of ['auto', undefined]) {
      expect(routed(await ask(project, 'hello there', { model }))).toEqual(['echo:easy', '1'])
      const tools = [{ type: 'function', function: { name: 'look', parameters: {} } }]
      expect(routed(await ask(project, 'hello there', { model, tools }))).toEqual(['echo:fairer', '2'])
    }
  })

  test('is recorded under the name that the operator gave to such requests', async () => {
    const project = world.project()
    await ask(project, 'hello there')
    await ask(project, 'hello there', { model: 'deep' })
    const rows = await project.rows(2)
    expect(rows.map(({ metadata }) => metadata.requested_model)).toEqual(['whatever-fits', 'deep'])
  })

  test('hears its score, as one that names its model does', async () => {
    const project = world.project()
    const easy = scoreOf(await ask(project, 'hello there'))
    const hard = scoreOf(await ask(project, 'Prove step by step, and derive each bound:\n```\nfunction f() {}\n```'))
    expect(easy).toBeGreaterThanOrEqual(0)
    expect(hard).toBeGreaterThan(easy)
    expect(scoreOf(await ask(project, 'hello there', { model: 'deep' }))).toBe(easy)
    const refused = await ask(project, 'hello there', { model: 'unheard-of' })
    expect([refused.status, scoreOf(refused)]).toEqual([404, easy])
  })
})

describe('feedback', () => {
  test('moves the bounds of the tiers for its project alone', async () => {
    const [project, other] = [world.project(), world.project()]
    const bad = { score: 0, tier: 1, quality: 0 }
    expect(await learn(project, bad)).toEqual({ threshold: 0.48, tier1_max: 28, tier2_max: 68 })
    let last: Learned | undefined
    for (let round = 0; round < 20; round += 1) last = await learn(project, bad)
    expect(last).toEqual({ threshold: 0.2, tier1_max: 0, tier2_max: 40 })
    expect(routed(await ask(project, 'hello there'))).toEqual(['echo:fairer', '2'])
    expect(routed(await ask(other, 'hello there'))).toEqual(['echo:easy', '1'])
  })

  test('that says nothing of another tier moves nothing', async () => {
    expect(await learn(world.project(), { score: 1, tier: 3, quality: 0 })).toMatchObject({ threshold: 0.5 })
  })

  test('out of its bounds is refused', async () => {
    const good = { score: 0.5, tier: 1, quality: 0.5 }
    for (const wrong of [{ score: 50 }, { tier: 4 }, { tier: '1' }, { quality: -1 }, { quality: null }, { more: 1 }]) {
      expect((await judge(world.project(), { ...good, ...wrong })).status).toBe(422)
    }
    expect((await fetch(`${world.url}/v1/feedback`, { method: 'POST' })).status).toBe(401)
  })
})

describe('a sidecar', () => {
  const answers: Record<string, (end: (text: string, status?: number) => void) => void> = {
    hard: (end) => end('{"score":1}'),
    silent: () => undefined,
    garbage: (end) => end('<html>'),
    absurd: (end) => end('{"score":7}'),
    failing: (end) => end('{"score":1}', 500),
    endless: (end) => end(`{"score":1,"note":"${'x'.repeat(100_000)}"}`),
  }
  const server = createServer((incoming, outgoing) => {
    let text = ''
    incoming.on('data', (piece) => {
      text += String(piece)
    })
    incoming.on('end', () => {
      const [name = ''] = (JSON.parse(text) as { prompt: string }).prompt.split(' ')
      answers[name]?.((body, status = 200) => outgoing.writeHead(status).end(body))
    })
  })

  test('is heard, and whatever goes wrong with it changes nothing', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`
    const learned = { sidecar_url: url, sidecar_weight: 1 }
    const gateway = await startGateway({ providers, cache, learned })
    try {
      const project = gateway.project()
      // It has 50 ms, which a busy machine may need for other things.
      await eventually(async () => expect(routed(await ask(project, 'hard to tell'))).toEqual(['echo:deep', '3']))
      for (const name of ['silent', 'garbage', 'absurd', 'failing', 'endless']) {
        expect(routed(await ask(project, `${name} one`)), name).toEqual(['echo:easy', '1'])
      }
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      expect(routed(await ask(project, 'hard to tell'))).toEqual(['echo:easy', '1'])
    } finally {
      await gateway.close()
    }
  })
})
