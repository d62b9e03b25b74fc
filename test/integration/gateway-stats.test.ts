import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'
import { answerJson, startUpstream, wellBehaved } from '../support/local-upstream.js'

const folder = await mkdtemp(join(tmpdir(), 'llmring-hook-'))
const hook = join(folder, 'hook.mjs')
await writeFile(
  hook,
  `export async function choose(candidates, { model, alias, body }) {
  if (body.user === 'fault') throw new Error('planted')
  if (body.user === 'never') return new Promise(() => undefined)
  if (body.user === 'elsewhere') return 'other:model'
  if (body.user === 'last') return candidates.at(-1).name
  return candidates.map(({ name }) => name)
}\n`,
)
const upstream = await startUpstream(wellBehaved)
const at = (name: string, cost: number, priority: number) => ({
  ...{ name, base_url: upstream.url, priority },
  models: [{ model: 'small', tier: 1, cost_per_1k_in: cost, cost_per_1k_out: cost }, { model: `only-${name}` }],
})
const world = await startGateway({
  providers: [at('cheap', 1, 1), at('dear', 10, 2)],
  policy: { hook },
  breaker: { failure_threshold: 1_000, min_calls: 100_000 },
})
afterAll(async () => {
  await world.close()
  await upstream.close()
  await rm(folder, { recursive: true })
})

const messages = [{ role: 'user', content: 'What did it cost?' }]
const ask = (project: GatewayProject, json: object) => project.post('/v1/chat/completions', { messages, ...json })
async function stats(project: GatewayProject): Promise<unknown> {
  const response = await fetch(`${world.url}/stats`, { headers: { Authorization: `Bearer ${project.key}` } })
  expect(response.status).toBe(200)
  return response.json()
}

describe('the sums of calls', () => {
  // The upstream counts 21 tokens in and 7 out: 0.028 at 1 USD a thousand, 0.28 at 10.
  test('say what was spent, and what the dearest candidate would have cost more', async () => {
    const project = world.project()
    for (const _ of [1, 2]) await ask(project, { model: 'small' })
    await ask(project, { model: 'dear:small' })
    await project.rows(3)
    expect(await stats(project)).toEqual({
      ...{ total_requests: 3, total_spent_usd: 0.336, total_saved_usd: 0.504 },
      by_model: {
        'cheap:small': { requests: 2, spent_usd: 0.056, saved_usd: 0.504 },
        'dear:small': { requests: 1, spent_usd: 0.28, saved_usd: 0 },
      },
    })
    const [row] = await project.rows(3)
    expect(row?.metadata).toMatchObject({ saved_cost: '0.252000000000' })
  })

  test('are of the project alone, and of calls through the gateway', async () => {
    const project = world.project()
    const event = { provider: 'cheap', model: 'small', input_tokens: 1, output_tokens: 1 }
    const sent = [
      { ...event, origin: 'elsewhere', metadata: { saved_cost: '5' } },
      { ...event, origin: 'gateway', metadata: { saved_cost: 'a lot' } },
      { ...event, origin: 'gateway', metadata: { saved_cost: '1e9' } },
    ]
    for (const json of sent) expect((await project.post('/api/v1/log', json)).status).toBe(200)
    await project.rows(3)
    expect(await stats(project)).toMatchObject({ total_requests: 2, total_saved_usd: 0 })
  })

  test('count a call that failed, which saved nothing', async () => {
    upstream.behave((outgoing) => answerJson(outgoing, { error: { message: 'no' } }, 500))
    const project = world.project()
    await ask(project, { model: 'only-dear' })
    upstream.behave(wellBehaved)
    await project.rows(1)
    expect(await stats(project)).toMatchObject({ total_requests: 1, total_spent_usd: 0, total_saved_usd: 0 })
  })

  test('need a key', async () => {
    expect((await fetch(`${world.url}/stats`)).status).toBe(401)
  })
})

describe("the operator's hook", () => {
  const servedBy = async (user: string, model = 'small') => {
    const project = world.project()
    await project.bind('either', ['cheap:only-cheap', 'dear:only-dear'])
    return (await ask(project, { model, user })).headers.get('x-llm-router-model')
  }

  test('chooses among the candidates', async () => {
    expect(await servedBy('first')).toBe('cheap:small')
    expect(await servedBy('last')).toBe('dear:small')
    expect(await servedBy('last', 'either')).toBe('dear:only-dear')
  })

  test('that fails, never answers or names another backend changes nothing', async () => {
    for (const user of ['fault', 'never', 'elsewhere']) expect(await servedBy(user)).toBe('cheap:small')
  })

  test('that cannot be loaded stops the start', async () => {
    await writeFile(join(folder, 'empty.mjs'), 'export const nothing = 1\n')
    const config = (name: string) => ({ providers: [at('cheap', 1, 1)], policy: { hook: join(folder, name) } })
    await expect(startGateway(config('empty.mjs'))).rejects.toThrow("exports no function 'choose'")
    await expect(startGateway(config('missing.mjs'))).rejects.toThrow('cannot be loaded')
  })
})
