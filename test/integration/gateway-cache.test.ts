import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, readData, startGateway } from '../support/gateway-world.js'
import {
  answerJson,
  type Behaviour,
  beginEvents,
  chunk,
  completion,
  sendData,
  startUpstream,
  wellBehaved,
} from '../support/local-upstream.js'

const upstream = await startUpstream(wellBehaved)
const models = [
  { model: 'small', cost_per_1k_in: 0.5, cost_per_1k_out: 1.5 },
  { model: 'large', cost_per_1k_in: 5, cost_per_1k_out: 15 },
]
const world = await startGateway({
  providers: [{ name: 'local', base_url: upstream.url, models }],
  cache: { ttl_seconds: 300 },
  server: { drain_seconds: 0.2 },
})
afterAll(async () => {
  await world.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.arrived.length = 0
  upstream.behave(wellBehaved)
})

const CHAT = '/v1/chat/completions'
const say = (content: string, more: object = {}) => ({
  ...{ model: 'small', temperature: 0, messages: [{ role: 'user', content }] },
  ...more,
})
const FRANCE = say('What is the capital of France?')
const how = (response: Response) => response.headers.get('x-llm-router-cache')

/** How the cache answered; the body is read, so that what follows comes after its end. */
async function ask(project: GatewayProject, json: unknown, headers: Record<string, string> = {}) {
  const response = await project.post(CHAT, json, { headers })
  const text = await response.text()
  return { how: how(response), status: response.status, text, headers: response.headers }
}

/** An upstream that answers once it is told to. */
function held(answer: Behaviour = wellBehaved) {
  let release: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    release = resolve
  })
  upstream.behave(async (outgoing, arrived) => {
    await told
    await answer(outgoing, arrived)
  })
  return () => release()
}

describe('an answer to a request that leaves nothing to chance', () => {
  test('is given again, costs nothing then, and its row says what it saved', async () => {
    const project = world.project()
    const first = await ask(project, FRANCE)
    const again = await ask(project, FRANCE)
    expect([first.how, again.how]).toEqual(['MISS', 'HIT'])
    expect(again.text).toBe(first.text)
    expect(again.headers.get('x-llm-router-model')).toBe('local:small')
    expect(again.headers.get('x-llm-router-attempts')).toBe('0')
    expect(upstream.arrived).toHaveLength(1)
    const [made, saved] = await project.rows(2)
    expect(made).toMatchObject({ cost_decimal: '0.021000000000', metadata: { cache: 'MISS' } })
    expect(saved).toMatchObject({
      ...{ provider: 'local', model: 'small', cost_decimal: '0.000000000000', input_tokens: 0, output_tokens: 0 },
      metadata: { cache: 'HIT', saved_cost: made?.cost_decimal, outcome: 'answered', attempts: 0 },
    })
  })

  test('is given to the same question in other words, and to no other question', async () => {
    const project = world.project()
    await ask(project, FRANCE)
    expect((await ask(project, say("What's France's capital city?"))).how).toBe('SEMANTIC')
    expect((await ask(project, say('Could you tell me the capital of France?'))).how).toBe('SEMANTIC')
    const others = [
      say('What is the capital of Franconia?'),
      say('What was the capital of France?'),
      say("What's France's capital city?", { top_p: 0.5 }),
      say("What's France's capital city?", { model: 'large' }),
      { ...FRANCE, messages: [{ role: 'system', content: 'Be brief.' }, ...FRANCE.messages] },
    ]
    for (const other of others) expect((await ask(project, other)).how).toBe('MISS')
  })

  test('is never given to another project', async () => {
    const [one, other] = [world.project(), world.project()]
    await ask(one, FRANCE)
    expect((await ask(other, FRANCE)).how).toBe('MISS')
    expect((await ask(other, say("What's the capital of France?"))).how).toBe('SEMANTIC')
    expect(upstream.arrived).toHaveLength(2)
  })

  test('is asked for anew once its alias means another model', async () => {
    const project = world.project()
    const json = say('What is an alias?', { model: 'helper' })
    await project.bind('helper', ['local:small'])
    await ask(project, json)
    expect((await ask(project, json)).how).toBe('HIT')
    await project.bind('helper', ['local:large'])
    const anew = await ask(project, json)
    expect([anew.how, anew.headers.get('x-llm-router-model')]).toEqual(['MISS', 'local:large'])
  })

  test('is erased with its project', async () => {
    const project = world.project()
    await ask(project, FRANCE)
    const [row] = await project.rows(1)
    const [found] = await world.service.sql`select project_id from usage_logs where id = ${row?.id ?? ''}`
    const { erase } = world.service.service.projects.verbs
    // The answer, and where its question finds it.
    expect(await erase(found?.['project_id'])).toMatchObject({ gateway: 2 })
  })

  test('is kept for as long as the caller says', async () => {
    const project = world.project()
    await ask(project, FRANCE, { 'X-LLM-Router-Cache-TTL': '1' })
    await eventually(async () =>
      expect((await ask(project, FRANCE, { 'X-LLM-Router-Cache-TTL': '1' })).how).toBe('MISS'),
    )
  })
})

describe("an answer on Anthropic's surface", () => {
  const FRENCH = { model: 'small', max_tokens: 50, messages: [{ role: 'user', content: 'Say the capital of France' }] }
  const use = { headers: { 'X-LLM-Router-Cache': 'use' } }

  test('is given again to whom allows it, apart from those of the other surface', async () => {
    const project = world.project()
    const [first, second] = [
      await project.post('/v1/messages', FRENCH, use),
      await project.post('/v1/messages', FRENCH, use),
    ]
    expect([how(first), how(second)]).toEqual(['MISS', 'HIT'])
    const answer = await second.json()
    expect(answer).toMatchObject({ type: 'message', role: 'assistant' })
    expect(await first.json()).toEqual(answer)
    expect((await ask(project, FRENCH, use.headers)).how).toBe('MISS')
    expect((await ask(project, FRENCH, use.headers)).text).toContain('chat.completion')
  })

  test('depends on the headers that go on to the upstream', async () => {
    const project = world.project()
    const beta = { headers: { ...use.headers, 'anthropic-beta': 'some-feature' } }
    await (await project.post('/v1/messages', FRENCH, use)).text()
    const other = await project.post('/v1/messages', FRENCH, beta)
    expect(how(other)).toBe('MISS')
    await other.text()
  })

  test('may be a stream, which is given again whole', async () => {
    const project = world.project()
    const json = { ...FRENCH, stream: true }
    const texts: string[] = []
    for (const wanted of ['MISS', 'HIT']) {
      const response = await project.post('/v1/messages', json, use)
      expect(how(response)).toBe(wanted)
      texts.push(await response.text())
    }
    expect(texts[1]).toBe(texts[0])
    expect(texts[0]).toContain('message_stop')
  })
})

describe('the caller', () => {
  test('has to allow the cache if something is left to chance', async () => {
    const project = world.project()
    const { temperature: _, ...warm } = say('Tell me a joke')
    const use = { 'X-LLM-Router-Cache': 'use' }
    expect([(await ask(project, warm)).how, (await ask(project, warm)).how]).toEqual(['MISS', 'MISS'])
    expect([(await ask(project, warm, use)).how, (await ask(project, warm, use)).how]).toEqual(['MISS', 'HIT'])
    expect((await ask(project, warm)).how).toBe('MISS')
  })

  test.each(['X-LLM-Router-Cache', 'Cache-Control'])(
    'asks anew with no-cache in %s, and keeps nothing with no-store',
    async (name) => {
      const project = world.project()
      upstream.behave((outgoing) => answerJson(outgoing, completion(`answer ${upstream.arrived.length}`)))
      expect((await ask(project, FRANCE, { [name]: 'no-store' })).how).toBe('MISS')
      expect((await ask(project, FRANCE)).how).toBe('MISS')
      const renewed = await ask(project, FRANCE, { [name]: 'no-cache' })
      expect(renewed.how).toBe('MISS')
      expect((await ask(project, FRANCE, { [name]: 'no-store' })).how).toBe('MISS')
      expect(await ask(project, FRANCE)).toMatchObject({ how: 'HIT', text: renewed.text })
    },
  )
})

describe('never kept', () => {
  test('is a failure', async () => {
    const project = world.project()
    upstream.behave((outgoing) => answerJson(outgoing, { error: { message: 'busy' } }, 500))
    expect((await ask(project, FRANCE)).status).toBe(502)
    upstream.behave(wellBehaved)
    expect(await ask(project, FRANCE)).toMatchObject({ how: 'MISS', status: 200 })
  })

  test('is a stream that broke off; one that is whole is kept, apart from answers that are none', async () => {
    const project = world.project()
    const json = { ...FRANCE, stream: true }
    upstream.behave((outgoing) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ content: 'Par' }))
      setTimeout(() => outgoing.destroy(), 20)
    })
    expect((await ask(project, json)).text).toContain('error')
    upstream.behave(wellBehaved)
    const whole = await ask(project, json)
    expect([whole.how, whole.text]).toEqual(['MISS', expect.stringContaining('[DONE]')])
    expect(await ask(project, json)).toMatchObject({ how: 'HIT', text: whole.text })
    expect((await ask(project, FRANCE)).how).toBe('MISS')
    const rows = await project.rows(4)
    expect(rows.map(({ metadata }) => metadata.outcome)).toEqual(['cut', 'answered', 'answered', 'answered'])
  })
})

describe('identical requests at the same time', () => {
  test('a thousand of them make exactly one upstream call, and each leaves a row', async () => {
    const project = world.project()
    // The first request makes the project.
    await ask(project, say('Hello'))
    upstream.arrived.length = 0
    const release = held()
    const asked = Array.from({ length: 1_000 }, () => ask(project, FRANCE))
    await eventually(async () => expect(upstream.arrived).toHaveLength(1))
    release()
    const answers = await Promise.all(asked)
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers.filter((answer) => answer.how === 'MISS')).toHaveLength(1)
    expect(answers.filter((answer) => answer.how === 'COALESCED').length).toBeGreaterThan(0)
    expect(upstream.arrived).toHaveLength(1)
    const rows = await project.rows(500)
    expect(rows.filter(({ cost_decimal }) => Number(cost_decimal) > 0).length).toBeLessThanOrEqual(2)
  })

  test('of two projects make two', async () => {
    const projects = [world.project(), world.project()]
    const release = held()
    const asked = projects.map((project) => ask(project, FRANCE))
    await eventually(async () => expect(upstream.arrived).toHaveLength(2))
    release()
    expect((await Promise.all(asked)).map((answer) => answer.how)).toEqual(['MISS', 'MISS'])
  })

  test('share a failure, with a row each, and none that come later do', async () => {
    const project = world.project()
    const release = held((outgoing) => answerJson(outgoing, { error: { message: 'busy' } }, 500))
    const asked = [ask(project, FRANCE), ask(project, FRANCE)]
    await project.rows(0)
    await eventually(async () => expect(upstream.arrived).toHaveLength(1))
    release()
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([502, 502])
    upstream.behave(wellBehaved)
    expect(await ask(project, FRANCE)).toMatchObject({ how: 'MISS', status: 200 })
    const outcomes = (await project.rows(3)).map(({ metadata }) => metadata.outcome).sort()
    expect(outcomes).toEqual(['answered', 'status 500', 'status 500'])
  })

  test('go on if the one who came first leaves', async () => {
    const project = world.project()
    await ask(project, say('Hello'))
    upstream.arrived.length = 0
    const release = held()
    const leaving = new AbortController()
    const left = project.post(CHAT, FRANCE, { signal: leaving.signal }).catch((error: Error) => error.name)
    await eventually(async () => expect(upstream.arrived).toHaveLength(1))
    const stayed = ask(project, FRANCE)
    // Both are aboard once the second has been seen to wait: its own request is answered after it.
    await ask(project, say('Hello'))
    leaving.abort()
    expect(await left).toBe('AbortError')
    release()
    expect(await stayed).toMatchObject({ how: 'COALESCED', status: 200 })
    expect(upstream.arrived).toHaveLength(1)
  })

  test('end their upstream call once all have left', async () => {
    const project = world.project()
    held()
    const leaving = new AbortController()
    const asked = [1, 2].map(() => project.post(CHAT, FRANCE, { signal: leaving.signal }).catch(() => undefined))
    await eventually(async () => expect(upstream.arrived).toHaveLength(1))
    const open = upstream.connections()
    leaving.abort()
    await Promise.all(asked)
    await eventually(async () => expect(upstream.connections()).toBeLessThan(open))
    upstream.behave(wellBehaved)
    expect(await ask(project, FRANCE)).toMatchObject({ how: 'MISS', status: 200 })
  })

  test('read one stream, each from its beginning', async () => {
    const project = world.project()
    let finish: () => void = () => undefined
    upstream.behave((outgoing, arrived) => {
      beginEvents(outgoing)
      sendData(outgoing, chunk({ content: 'Pa' }))
      finish = () => void wellBehavedRest(outgoing, arrived)
    })
    const json = { ...FRANCE, stream: true }
    const first = await project.post(CHAT, json)
    const second = await project.post(CHAT, json)
    expect([how(first), how(second)]).toEqual(['MISS', 'COALESCED'])
    finish()
    const [one, other] = await Promise.all([readData(first), readData(second)])
    expect(other).toEqual(one)
    expect(JSON.stringify(one)).toContain('ris')
    expect(upstream.arrived).toHaveLength(1)
    const rows = await project.rows(2)
    expect(rows.map(({ metadata }) => metadata.outcome)).toEqual(['answered', 'answered'])
  })
})

const wellBehavedRest: Behaviour = (outgoing) => {
  sendData(outgoing, chunk({ content: 'ris' }, 'stop'))
  sendData(outgoing, '[DONE]')
  outgoing.end()
}
