import { afterAll, describe, expect, test } from 'vitest'
import { readData, startGateway } from '../support/gateway-world.js'
import {
  answerJson,
  type Behaviour,
  beginEvents,
  sendEvent,
  startUpstream,
  wellBehaved,
} from '../support/local-upstream.js'

const USAGE = {
  ...{ input_tokens: 11, output_tokens: 6, cache_read_input_tokens: 4, cache_creation_input_tokens: 9 },
  cache_creation: { ephemeral_5m_input_tokens: 7, ephemeral_1h_input_tokens: 2 },
}
const MESSAGE = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', stop_reason: 'end_turn', stop_sequence: null },
  ...{ content: [{ type: 'text', text: 'Four words of answer' }], usage: USAGE },
}

/** Answers as Anthropic would, in both ways. */
const likeAnthropic: Behaviour = (outgoing, { json }) => {
  if (json['stream'] !== true) return answerJson(outgoing, MESSAGE)
  beginEvents(outgoing)
  const message = { ...MESSAGE, content: [], usage: { ...USAGE, output_tokens: 1 } }
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  sendEvent(outgoing, { type: 'message_start', ...{ message } })
  sendEvent(outgoing, block)
  for (const text of ['Four words', ' of answer']) {
    sendEvent(outgoing, { type: 'content_block_delta', ...{ index: 0, delta: { type: 'text_delta', text } } })
  }
  sendEvent(outgoing, { type: 'content_block_stop', ...{ index: 0 } })
  sendEvent(outgoing, {
    ...{ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null } },
    ...{ usage: { output_tokens: 6 } },
  })
  sendEvent(outgoing, { type: 'message_stop' })
  outgoing.end()
}

const modern = { model: 'modern', supports_temperature: false, supports_json_schema: true }
const models = { model: 'claude', models: [modern] }
const anthropic = await startUpstream(likeAnthropic)
const openai = await startUpstream(wellBehaved)
const world = await startGateway(
  {
    providers: [
      { name: 'anthropic', type: 'anthropic', base_url: anthropic.url, api_key_env: 'PLANTED_A', ...models },
      { name: 'local', base_url: openai.url, api_key_env: 'PLANTED_O', model: 'small' },
    ],
  },
  { PLANTED_A: 'sk-ant-planted', PLANTED_O: 'sk-planted' },
)
afterAll(async () => {
  await world.close()
  await Promise.all([anthropic.close(), openai.close()])
})

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const messages = [{ role: 'user', content: 'Say something' }]
const ROW = {
  ...{ input_tokens: 11, output_tokens: 6, cache_read_input_tokens: 4, cached_input_tokens: 0 },
  ...{ cache_write_5m_input_tokens: 7, cache_write_1h_input_tokens: 2 },
}

describe("a call of Anthropic's surface", () => {
  test('reaches an upstream of Anthropic as it is, with its credential and not with ours', async () => {
    const project = world.project()
    const json = { model: 'claude', max_tokens: 50, messages, top_k: 5, unheard_of: 1 }
    const headers = { 'anthropic-version': '2024-01-01', 'anthropic-beta': 'a-beta', 'x-stainless-lang': 'js' }
    const response = await project.post(MESSAGES, json, { headers })
    expect(await response.json()).toEqual(MESSAGE)
    const arrived = anthropic.arrived.at(-1)
    expect(arrived).toMatchObject({ path: '/messages', json: { ...json, model: 'claude' } })
    expect(arrived?.headers).toMatchObject({
      ...{ 'x-api-key': 'sk-ant-planted', 'anthropic-version': '2024-01-01', 'anthropic-beta': 'a-beta' },
    })
    expect(JSON.stringify(arrived?.headers)).not.toMatch(new RegExp(`stainless|${project.key}`))
    const [row] = await project.rows(1)
    expect(row).toMatchObject({ ...ROW, provider: 'anthropic', model: 'claude', metadata: { estimated: false } })
  })

  test("streams an upstream's own events to the last one", async () => {
    const project = world.project()
    const response = await project.post(MESSAGES, { model: 'claude', max_tokens: 50, messages, stream: true })
    const events = (await readData(response)) as { type: string }[]
    expect(events.map(({ type }) => type)).toEqual([
      ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ])
    expect(await project.rows(1)).toMatchObject([{ ...ROW, metadata: { stream: true, estimated: false } }])
  })

  test('is answered by an upstream of OpenAI, too', async () => {
    const project = world.project()
    const response = await project.post(MESSAGES, { model: 'small', max_tokens: 50, system: 'Be brief.', messages })
    expect(await response.json()).toMatchObject({
      ...{ type: 'message', role: 'assistant', stop_reason: 'end_turn' },
      content: [{ type: 'text', text: 'Four words of answer' }],
      usage: { input_tokens: 16, cache_read_input_tokens: 5, output_tokens: 7 },
    })
    expect(openai.arrived.at(-1)?.json).toEqual({
      model: 'small',
      messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
      max_tokens: 50,
    })
    expect(await project.rows(1)).toMatchObject([{ input_tokens: 21, cached_input_tokens: 5, output_tokens: 7 }])
  })

  test('streams from it, in events of its own', async () => {
    const project = world.project()
    const response = await project.post(MESSAGES, { model: 'small', max_tokens: 50, messages, stream: true })
    const events = (await readData(response)) as { type: string; delta?: { text?: string } }[]
    expect(events.map(({ delta }) => delta?.text ?? '').join('')).toBe('Four words of answer')
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
    expect(events.at(-2)).toMatchObject({ usage: { output_tokens: 7 } })
    expect(await project.rows(1)).toMatchObject([{ input_tokens: 21, metadata: { stream: true } }])
  })

  test('is refused in the words of its libraries', async () => {
    const project = world.project()
    const unknown = await project.post(MESSAGES, { model: 'unheard-of', max_tokens: 50, messages })
    expect([unknown.status, await unknown.json()]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error' }, code: 'model-not-found' },
    ])
    const wrong = await project.post(MESSAGES, { model: 'claude', messages })
    expect([wrong.status, await wrong.json()]).toMatchObject([422, { type: 'error', code: 'validation-failed' }])
    const nobody = await fetch(`${world.url}${MESSAGES}`, { method: 'POST', body: '{}' })
    expect(await nobody.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
  })

  test('of a tool that only Anthropic runs is refused where another would have to', async () => {
    const project = world.project()
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }]
    const response = await project.post(MESSAGES, { model: 'small', max_tokens: 50, messages, tools })
    expect([response.status, await response.json()]).toMatchObject([422, { errors: [{ pointer: '/tools/0' }] }])
  })
})

describe("a call of OpenAI's surface", () => {
  test('is answered by an upstream of Anthropic', async () => {
    const project = world.project()
    const response = await project.post(CHAT, { model: 'claude', messages, max_tokens: 30 })
    expect(await response.json()).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'Four words of answer' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 24, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 4 } },
    })
    expect(anthropic.arrived.at(-1)?.json).toEqual({
      ...{ model: 'claude', max_tokens: 30 },
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say something' }] }],
    })
    expect(await project.rows(1)).toMatchObject([ROW])
  })

  test('is sent without what its model refuses, and with the schema that it holds to', async () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false }
    const format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } }
    const sampling = { temperature: 0.5, top_p: 0.9 }
    for (const model of ['modern', 'claude']) {
      const json = { model, messages, ...sampling, response_format: format }
      expect((await world.project().post(CHAT, json)).status).toBe(200)
    }
    const [sent, plain] = anthropic.arrived.slice(-2).map(({ json }) => json)
    expect(sent).toMatchObject({ model: 'modern', output_config: { format: { type: 'json_schema', schema } } })
    expect(sent).not.toHaveProperty('temperature')
    expect(sent).not.toHaveProperty('top_p')
    expect(plain).toMatchObject({ ...sampling, system: [{ type: 'text' }] })
    const own = { model: 'modern', max_tokens: 5, messages, temperature: 0.5, top_k: 3 }
    await world.project().post(MESSAGES, own)
    expect(anthropic.arrived.at(-1)?.json).toEqual({ model: 'modern', max_tokens: 5, messages })
  })

  test.each([false, true])('that wants any JSON object gets one (stream: %s)', async (stream) => {
    const parts = ['{"city":', '"Oslo"}']
    anthropic.behave((outgoing, { json }) => {
      const [{ name }] = json['tools'] as [{ name: string }]
      const block = { type: 'tool_use', id: 'toolu_1', name, input: JSON.parse(parts.join('')) }
      if (json['stream'] !== true)
        return answerJson(outgoing, { ...MESSAGE, content: [block], stop_reason: 'tool_use' })
      beginEvents(outgoing)
      sendEvent(outgoing, { type: 'message_start', ...{ message: { ...MESSAGE, content: [] } } })
      const begun = { ...block, input: {} }
      sendEvent(outgoing, { type: 'content_block_start', ...{ index: 0, content_block: begun } })
      for (const partial_json of parts)
        sendEvent(outgoing, {
          ...{ type: 'content_block_delta', index: 0 },
          delta: { type: 'input_json_delta', partial_json },
        } as { type: string })
      const end = { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 6 } }
      for (const event of [{ type: 'content_block_stop', index: 0 }, end, { type: 'message_stop' }])
        sendEvent(outgoing, event)
      outgoing.end()
    })
    const project = world.project()
    const json = { model: 'claude', messages, stream, response_format: { type: 'json_object' } }
    const response = await project.post(CHAT, json)
    type Choice = { finish_reason: string; message?: { content: string }; delta?: { content?: string } }
    const answers = (stream ? await readData(response) : [await response.json()]) as (
      | { choices: Choice[] }
      | '[DONE]'
    )[]
    anthropic.behave(likeAnthropic)
    const choices = answers.flatMap((one) => (one === '[DONE]' ? [] : one.choices))
    const content = choices.map(({ message, delta }) => message?.content ?? delta?.content ?? '').join('')
    expect(JSON.parse(content)).toEqual({ city: 'Oslo' })
    expect(choices.at(-1)?.finish_reason).toBe('stop')
    expect(JSON.stringify(choices)).not.toContain('tool')
    expect(await project.rows(1)).toMatchObject([{ output_tokens: 6, metadata: { outcome: 'answered' } }])
  })

  test('streams from it', async () => {
    const project = world.project()
    const json = { model: 'claude', messages, stream: true, stream_options: { include_usage: true } }
    const data = (await readData(await project.post(CHAT, json))) as { choices?: { delta: { content?: string } }[] }[]
    expect(data.map((one) => one.choices?.[0]?.delta.content ?? '').join('')).toBe('Four words of answer')
    expect(data.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 24, completion_tokens: 6 } })
    expect(data.at(-1)).toBe('[DONE]')
    expect(await project.rows(1)).toMatchObject([ROW])
  })
})

describe('what may be asked for', () => {
  test('is listed: aliases and models, in the members of both libraries', async () => {
    const project = world.project()
    await project.bind('reader', ['anthropic:claude'])
    const headers = { Authorization: `Bearer ${project.key}` }
    const list = await (await fetch(`${world.url}/v1/models`, { headers })).json()
    expect(list).toMatchObject({
      ...{ object: 'list', has_more: false, first_id: 'reader' },
      data: [
        { id: 'reader', owned_by: 'alias' },
        { id: 'anthropic:claude', type: 'model' },
        { id: 'anthropic:modern' },
        { id: 'local:small' },
      ],
    })
    for (const id of ['reader', 'claude', 'local:small']) {
      const shown = await fetch(`${world.url}/v1/models/${id}`, { headers })
      expect([shown.status, await shown.json()]).toMatchObject([200, { id, object: 'model' }])
    }
    expect((await fetch(`${world.url}/v1/models/unheard-of`, { headers })).status).toBe(404)
  })

  test('is counted without asking anybody', async () => {
    const project = world.project()
    const before = anthropic.arrived.length
    const response = await project.post('/v1/messages/count_tokens', { model: 'claude', messages })
    expect(await response.json()).toEqual({ input_tokens: expect.any(Number) })
    expect(anthropic.arrived).toHaveLength(before)
  })
})

describe('a receipt', () => {
  const headers = { 'X-LLMRing-Receipt': 'true' }

  test.each([false, true])('tells what was seen (stream: %s)', async (stream) => {
    const project = world.project()
    await project.bind('reader', ['anthropic:claude'])
    const response = await project.post(CHAT, { model: 'reader', messages, stream }, { headers })
    await response.text()
    const id = response.headers.get('x-llmring-receipt-id')
    const shown = await fetch(`${world.url}/api/v1/receipts/${id}`, {
      headers: { Authorization: `Bearer ${project.key}` },
    })
    expect([shown.status, await shown.json()]).toMatchObject([
      200,
      {
        ...{ id, evidence: 'server_observed', alias: 'reader', provider: 'anthropic', model: 'anthropic:claude' },
        lock_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        tokens: { input: 15, output: 6, cached_input: 4, cache_write_5m: 7, cache_write_1h: 2 },
      },
    ])
    expect(await project.rows(1)).toHaveLength(1)
  })

  test('is not issued unless it is asked for', async () => {
    const response = await world.project().post(CHAT, { model: 'claude', messages })
    expect(response.headers.get('x-llmring-receipt-id')).toBeNull()
  })
})

describe('the credentials of the operator', () => {
  test('are in no answer, no list, no metric and no row', async () => {
    const project = world.project()
    anthropic.behave((outgoing) =>
      answerJson(outgoing, { type: 'error', error: { type: 'x', message: 'No sk-ant-planted' } }, 400),
    )
    const texts: string[] = []
    const keep = async (response: Response) => {
      texts.push(JSON.stringify([...response.headers]), await response.text())
    }
    await keep(await project.post(MESSAGES, { model: 'claude', max_tokens: 5, messages }))
    await keep(await project.post(CHAT, { model: 'claude', messages, stream: true }))
    const headers = { Authorization: `Bearer ${project.key}` }
    for (const path of ['/v1/models', '/metrics', '/readyz', '/openapi.json', '/api/v1/logs', '/api/v1/export']) {
      await keep(await fetch(world.url + path, { headers }))
    }
    anthropic.behave(likeAnthropic)
    expect(texts.length).toBe(16)
    expect(texts.join('\n')).toContain('[hidden]')
    expect(texts.join('\n')).not.toMatch(/sk-ant-planted|sk-planted/)
  })
})
