import { afterAll, describe, expect, test } from 'vitest'
import { readData, startGateway } from '../support/gateway-world.js'
import { startUpstream, wellBehaved } from '../support/local-upstream.js'

const upstream = await startUpstream(wellBehaved)
const world = await startGateway(
  {
    providers: [
      {
        ...{ name: 'local', type: 'openai', base_url: `${upstream.url}/v1`, api_key_env: 'PLANTED_KEY' },
        models: [{ model: 'small', cost_per_1k_in: 0.5, cost_per_1k_out: 1.5 }],
      },
      { name: 'echo', type: 'echo', priority: 5, models: [{ model: 'parrot' }] },
    ],
  },
  { PLANTED_KEY: 'sk-planted-credential' },
)
afterAll(async () => {
  await world.close()
  await upstream.close()
})

const CHAT = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'Say it again, please' }]

describe('a chat', () => {
  test('is answered by the upstream that lists the model, with the credential of its provider', async () => {
    const project = world.project()
    const response = await project.post(CHAT, { model: 'small', messages, temperature: 0.3, unheard_of: { a: 1 } })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-llm-router-model')).toBe('local:small')
    expect(response.headers.get('x-llm-router-attempts')).toBe('1')
    const answer = (await response.json()) as { choices: { message: { content: string } }[] }
    expect(answer.choices[0]?.message.content).toBe('Four words of answer')
    const arrived = upstream.arrived.at(-1)
    expect(arrived?.path).toBe('/v1/chat/completions')
    expect(arrived?.json).toEqual({ model: 'small', messages, temperature: 0.3, unheard_of: { a: 1 } })
    expect(arrived?.headers.authorization).toBe('Bearer sk-planted-credential')
    expect(JSON.stringify(arrived?.headers)).not.toContain(project.key)
  })

  test('leaves one row, with every kind of token and the cost that the configuration gives', async () => {
    const project = world.project()
    await project.bind('summarizer', ['local:small'])
    await project.post(CHAT, { model: 'summarizer', messages })
    const [row, ...more] = await project.rows(1)
    expect(more).toEqual([])
    expect(row).toMatchObject({
      ...{ provider: 'local', model: 'small', alias: 'summarizer', profile: 'default' },
      ...{ input_tokens: 21, output_tokens: 7, cached_input_tokens: 5, reasoning_tokens: 2 },
      ...{ cost_decimal: '0.021000000000', cost_status: 'reported' },
    })
    expect(row?.metadata).toMatchObject({
      ...{ requested_model: 'summarizer', outcome: 'answered', attempts: 1, stream: false, estimated: false },
    })
  })

  test('streams, and usage that was not asked for is counted and not shown', async () => {
    const project = world.project()
    const response = await project.post(CHAT, { model: 'local:small', messages, stream: true })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const data = await readData(response)
    expect(data.at(-1)).toBe('[DONE]')
    const text = JSON.stringify(data)
    expect(text).not.toContain('usage')
    expect(text).toContain('answer')
    expect(upstream.arrived.at(-1)?.json['stream_options']).toEqual({ include_usage: true })
    const [row] = await project.rows(1)
    expect(row).toMatchObject({ input_tokens: 21, output_tokens: 7, metadata: { stream: true, estimated: false } })
  })

  test('streams its usage to a caller who asks for it', async () => {
    const project = world.project()
    const json = { model: 'small', messages, stream: true, stream_options: { include_usage: true } }
    const data = await readData(await project.post(CHAT, json))
    expect(data.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 21 } })
  })

  test('is answered by the echo with what it was told, in both ways', async () => {
    const project = world.project()
    const whole = await (await project.post(CHAT, { model: 'parrot', messages })).json()
    expect(whole).toMatchObject({ choices: [{ message: { content: 'Say it again, please' } }] })
    const data = await readData(await project.post(CHAT, { model: 'parrot', messages, stream: true }))
    const said = data.map((one) => (one as { choices?: { delta: { content?: string } }[] }).choices?.[0]?.delta.content)
    expect(said.join('')).toBe('Say it again, please')
    const rows = await project.rows(2)
    expect(rows.map(({ provider }) => provider)).toEqual(['echo', 'echo'])
  })

  test('of an unknown model is refused in the words of the library, and leaves no row', async () => {
    const project = world.project()
    const response = await project.post(CHAT, { model: 'unheard-of', messages })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({
      ...{ code: 'model-not-found', status: 404 },
      error: { code: 'model-not-found', type: 'invalid_request_error' },
    })
    await project.post(CHAT, { model: 'parrot', messages })
    expect(await project.rows(1)).toHaveLength(1)
  })
})

describe('a request', () => {
  test('may be large, deep and hold what no store keeps: it is passed on', async () => {
    const project = world.project()
    const url = `data:image/png;base64,${'A'.repeat(20_000_000)}`
    const content = [
      { type: 'text', text: 'a\u0000b' },
      { type: 'image_url', image_url: { url } },
    ]
    let deep: unknown = 1
    for (let level = 0; level < 100; level += 1) deep = [deep]
    const response = await project.post(CHAT, { model: 'small', messages: [{ role: 'user', content }], deep })
    expect(response.status).toBe(200)
    const { json } = upstream.arrived.at(-1) ?? {}
    expect(json).toMatchObject({ messages: [{ content: [{ text: 'a\u0000b' }, {}] }], deep })
    expect(JSON.stringify(json).length).toBeGreaterThan(20_000_000)
  })

  test.each([
    ['that is no JSON', '{"messages":', 400, 'malformed-json'],
    ['without messages', '{"model":"small"}', 422, 'validation-failed'],
    ['that is too deep', `{"model":"small","messages":${'['.repeat(200)}`, 400, 'malformed-json'],
    ['that is too large', JSON.stringify({ text: 'x'.repeat(33_554_432) }), 413, 'body-too-large'],
  ])('%s is refused before any upstream is asked', async (_, body, status, code) => {
    const before = upstream.arrived.length
    const response = await world.project().post(CHAT, body)
    expect([response.status, await response.json()]).toMatchObject([status, { code, error: { code } }])
    expect(upstream.arrived).toHaveLength(before)
  })

  test('without a key, or with one that may not write, reaches no upstream', async () => {
    const before = upstream.arrived.length
    const response = await fetch(world.url + CHAT, {
      method: 'POST',
      body: JSON.stringify({ model: 'small', messages }),
    })
    expect([response.status, await response.json()]).toMatchObject([401, { error: { type: 'authentication_error' } }])
    expect(upstream.arrived).toHaveLength(before)
  })

  test('without a model is answered by the cheapest backend of the tier that it needs', async () => {
    const response = await world.project().post(CHAT, { messages })
    expect(response.headers.get('x-llm-router-model')).toBe('echo:parrot')
  })
})
