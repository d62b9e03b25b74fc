import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'
import { answerJson, type Behaviour, completion, startUpstream } from '../support/local-upstream.js'

/** Says what it was told, in capitals. */
const shouts: Behaviour = (outgoing, { json }) => {
  const [message] = json['messages'] as { content: string }[]
  answerJson(outgoing, completion(message?.content.toUpperCase() ?? ''))
}
const upstream = await startUpstream(shouts)
const models = ['easy', 'fair', 'deep'].map((model, index) => ({
  model,
  tier: index + 1,
  cost_per_1k_in: 1,
  cost_per_1k_out: 1,
}))
const world = await startGateway({
  providers: [
    { name: 'local', base_url: upstream.url, models },
    { name: 'other', base_url: upstream.url, models, priority: 2 },
    {
      name: 'broken',
      base_url: 'http://127.0.0.1:9',
      models: [{ model: 'away', tier: 1, cost_per_1k_in: 9, cost_per_1k_out: 9 }],
      priority: 9,
    },
  ],
  breaker: { failure_threshold: 1_000, min_calls: 100_000 },
  server: { attempts_max: 2 },
})
afterAll(async () => {
  await world.close()
  await upstream.close()
})
beforeEach(() => upstream.behave(shouts))

const DIAMOND = {
  start_ops: ['reason'],
  end_ops: ['refine'],
  ops: {
    reason: { prompt: 'r {{input}}', tier: 1, output_ops: ['critique', 'verify'] },
    critique: { prompt: 'c', tier: 2, input_ops: ['reason'], output_ops: ['refine'] },
    verify: { prompt: 'v {{reason}}', tier: 1, input_ops: ['reason'], output_ops: ['refine'] },
    refine: { prompt: '{{critique}}+{{verify}}', tier: 3, input_ops: ['critique', 'verify'] },
  },
}
type Answer = {
  outputs: Record<string, string>
  routing: Record<string, { model: string; tier: number; attempts: number }>
  costs: Record<string, number>
  total_cost_usd: number
  final_output: string | null
  failed: Record<string, string>
}
const run = (project: GatewayProject, workflow: unknown, input = 'why') =>
  project.post('/v1/workflows', {
    input,
    workflow: typeof workflow === 'string' ? workflow : stringify(workflow, { aliasDuplicateObjects: false }),
  })
const answerOf = async (response: Response): Promise<Answer> => {
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}

describe('a workflow', () => {
  test('gives each op the tier that it asks for and the outputs that it names', async () => {
    const project = world.project()
    const answer = await answerOf(await run(project, DIAMOND))
    expect(answer.outputs).toEqual({
      reason: 'R WHY',
      critique: 'REASON:\nR WHY\n\nC',
      verify: 'V R WHY',
      refine: 'REASON:\nR WHY\n\nC+V R WHY',
    })
    expect(answer.final_output).toBe(answer.outputs['refine'])
    expect(answer.routing).toEqual({
      reason: { model: 'local:easy', tier: 1, attempts: 1 },
      critique: { model: 'local:fair', tier: 2, attempts: 1 },
      verify: { model: 'local:easy', tier: 1, attempts: 1 },
      refine: { model: 'local:deep', tier: 3, attempts: 1 },
    })
    expect(answer.failed).toEqual({})
  })

  test('leaves a row for each op, whose costs it adds up', async () => {
    const project = world.project()
    const answer = await answerOf(await run(project, DIAMOND))
    const rows = await project.rows(4)
    expect(rows).toHaveLength(4)
    expect(rows.map(({ model }) => model).sort()).toEqual(['deep', 'easy', 'easy', 'fair'])
    for (const row of rows) expect(Number(row.cost_decimal)).toBe(answer.costs['reason'])
    expect(answer.total_cost_usd).toBeCloseTo(4 * (answer.costs['reason'] ?? 0), 12)
  })

  test('runs independent ops at the same time', async () => {
    const waiting: (() => void)[] = []
    upstream.behave((outgoing, arrived) => {
      waiting.push(() => void shouts(outgoing, arrived))
    })
    const running = run(world.project(), DIAMOND)
    const release = async (count: number) => {
      await eventually(async () => expect(waiting).toHaveLength(count))
      for (const go of waiting.splice(0)) go()
    }
    await release(1)
    await release(2)
    await release(1)
    expect((await answerOf(await running)).final_output).toContain('R WHY')
  })

  test('wishes for the backend that answered an input of the same tier, not only for the tier', async () => {
    const project = world.project()
    const ops = {
      first: { prompt: '1', tier: 1, model: 'other:easy', output_ops: ['second'] },
      second: { prompt: '2', tier: 1, input_ops: ['first'] },
    }
    const answer = await answerOf(await run(project, { start_ops: ['first'], end_ops: ['second'], ops }))
    expect(answer.routing['second']?.model).toBe('other:easy')
  })

  test('says which op failed, and keeps what does not depend on it', async () => {
    const ops = { ...DIAMOND.ops, verify: { ...DIAMOND.ops.verify, model: 'broken:away' } }
    const answer = await answerOf(await run(world.project(), { ...DIAMOND, ops }))
    expect(answer.failed).toEqual({
      verify: 'broken:away could not be reached.',
      refine: 'not called, for want of verify',
    })
    expect(Object.keys(answer.outputs)).toEqual(['reason', 'critique'])
    expect(answer.final_output).toBeNull()
  })

  test('is a failure if not one op is answered', async () => {
    const ops = { only: { prompt: 'x', model: 'broken:away' } }
    const response = await run(world.project(), { start_ops: ['only'], end_ops: ['only'], ops })
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ code: 'upstream-failed', detail: expect.stringContaining('only') })
  })

  test('shares one budget of attempts between its ops', async () => {
    upstream.behave((outgoing) => answerJson(outgoing, { error: { message: 'no' } }, 500))
    const before = upstream.arrived.length
    const names = Array.from({ length: 6 }, (_, index) => `op${index}`)
    const ops = Object.fromEntries(names.map((name) => [name, { prompt: 'x', tier: 3 }]))
    const response = await run(world.project(), { start_ops: names, end_ops: names, ops })
    expect(response.status).toBe(502)
    // One for each op, and two fallbacks for all of them; each alone would have had two.
    const attempts = upstream.arrived.length - before
    expect(attempts).toBeGreaterThan(6)
    expect(attempts).toBeLessThanOrEqual(8)
  })

  test('ends with its caller, and leaves a row for what was under way', async () => {
    upstream.behave(() => undefined)
    const project = world.project()
    const leaving = new AbortController()
    const before = upstream.arrived.length
    const text = stringify(DIAMOND)
    const asked = project
      .post('/v1/workflows', { input: 'x', workflow: text }, { signal: leaving.signal })
      .catch(() => undefined)
    await eventually(async () => expect(upstream.arrived.length).toBeGreaterThan(before))
    leaving.abort()
    await asked
    const rows = await project.rows(1)
    expect(rows).toHaveLength(1)
    expect(upstream.arrived.length).toBe(before + 1)
  })
})

describe('a workflow that cannot run is refused whole, and nothing is called', () => {
  const ring = {
    start_ops: ['a'],
    end_ops: ['a'],
    ops: {
      a: { prompt: 'x', input_ops: ['b'], output_ops: ['b'] },
      b: { prompt: 'x', input_ops: ['a'], output_ops: ['a'] },
    },
  }
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`op${index}`, { prompt: 'x' }]))
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b]\n`
  const CASES: readonly (readonly [string, unknown, string, string])[] = [
    ['a cycle', ring, '/workflow/ops', "has a cycle: 'a', 'b' wait for each other"],
    ['an unknown op', { ...DIAMOND, end_ops: ['nothing'] }, '/workflow/end_ops', "names 'nothing', which is no op"],
    ['too many ops', { start_ops: ['op0'], end_ops: ['op0'], ops: many }, '/workflow/ops', 'may hold 32 ops, not 200'],
    ['a bomb of aliases', bomb, '/workflow', 'an alias (*name) is not taken here: write out what it stands for'],
    ['more tokens than can be read in a moment', '"'.repeat(20_000), '/workflow', 'the file has more than 8000 tokens'],
    ['no YAML', 'ops: [', '/workflow', 'line 1: is not YAML (bad indent)'],
    ['a name twice', 'ops: {}\nops: {}', '/workflow', 'line 2: is not YAML (duplicate key)'],
    ['a text', 'just a text', '/workflow', 'must be an object'],
  ]
  test.each(CASES)('for %s', async (_, workflow, pointer, message) => {
    const before = upstream.arrived.length
    const response = await run(world.project(), workflow)
    expect(response.status).toBe(422)
    const { errors } = (await response.json()) as { errors: { pointer: string; message: string }[] }
    expect(errors).toContainEqual({ pointer, message })
    expect(upstream.arrived.length).toBe(before)
  })

  test('for more than 256 kB', async () => {
    const response = await run(world.project(), `start_ops: [a]\n# ${'x'.repeat(300_000)}`)
    expect(response.status).toBe(422)
  })
})

const folder = new URL('../../src/features/gateway/workflows/', import.meta.url)
const examples = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))
test.each(examples)('the workflow %s that comes with the source runs', async (name) => {
  const answer = await answerOf(await run(world.project(), await readFile(new URL(name, folder), 'utf8'), 'Why?'))
  expect(answer.failed).toEqual({})
  expect(answer.final_output).toContain('WHY?')
})
