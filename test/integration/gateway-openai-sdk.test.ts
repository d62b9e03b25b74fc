import OpenAI from 'openai'
import { afterAll, describe, expect, test } from 'vitest'
import { startGateway } from '../support/gateway-world.js'

const world = await startGateway({ providers: [{ name: 'echo', type: 'echo', models: [{ model: 'parrot' }] }] })
afterAll(() => world.close())

const open = () => {
  const project = world.project()
  return { project, client: new OpenAI({ apiKey: project.key, baseURL: `${world.url}/v1`, maxRetries: 0 }) }
}
const messages = [{ role: 'user' as const, content: 'one two three' }]

describe("OpenAI's own library", () => {
  test('chats', async () => {
    const { client } = open()
    const answer = await client.chat.completions.create({ model: 'parrot', messages })
    expect(answer.choices[0]?.message.content).toBe('one two three')
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  })

  test('streams', async () => {
    const { client, project } = open()
    let said = ''
    for await (const chunk of await client.chat.completions.create({ model: 'parrot', messages, stream: true })) {
      said += chunk.choices[0]?.delta.content ?? ''
    }
    expect(said).toBe('one two three')
    expect(await project.rows(1)).toHaveLength(1)
  })

  test('calls tools, and gets JSON where it asks for it', async () => {
    const { client } = open()
    const called = await client.chat.completions.create({
      ...{ model: 'parrot', messages, tool_choice: 'required' },
      tools: [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }],
    })
    const [call] = called.choices[0]?.message.tool_calls ?? []
    expect(call).toMatchObject({ type: 'function', function: { name: 'look_up' } })
    const answer = await client.chat.completions.create({
      ...{ model: 'parrot', messages, response_format: { type: 'json_object' } },
    })
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ echo: 'one two three' })
  })

  test('reads our errors', async () => {
    const { client } = open()
    const refused = client.chat.completions.create({ model: 'unheard-of', messages })
    await expect(refused).rejects.toThrow(OpenAI.NotFoundError)
    await expect(refused).rejects.toMatchObject({ code: 'model-not-found', status: 404 })
    const wrong = client.chat.completions.create({ model: 'parrot', messages: [] })
    await expect(wrong).rejects.toThrow(OpenAI.UnprocessableEntityError)
    await expect(wrong).rejects.toMatchObject({ param: 'messages', error: { type: 'invalid_request_error' } })
  })
})

describe('with trouble behind us', () => {
  test('it does not try again what was tried here: one call, one row', async () => {
    const failing = await startGateway({
      providers: [{ name: 'broken', type: 'echo', model: 'parrot', mock_failure_rate: 1 }],
    })
    const project = failing.project()
    const client = new OpenAI({ apiKey: project.key, baseURL: `${failing.url}/v1`, maxRetries: 2 })
    await expect(client.chat.completions.create({ model: 'parrot', messages })).rejects.toMatchObject({ status: 502 })
    expect(await project.rows(1)).toMatchObject([{ metadata: { outcome: 'status 503', attempts: 1 } }])
    await failing.close()
  })

  test('it can leave a stream, which leaves one row', async () => {
    const slow = await startGateway({
      providers: [{ name: 'slow', type: 'echo', model: 'parrot', mock_tokens_per_second: 20 }],
      server: { drain_seconds: 0 },
    })
    const project = slow.project()
    const client = new OpenAI({ apiKey: project.key, baseURL: `${slow.url}/v1`, maxRetries: 0 })
    const words = [{ role: 'user' as const, content: 'word '.repeat(200) }]
    const stream = await client.chat.completions.create({ model: 'parrot', messages: words, stream: true })
    for await (const _chunk of stream) stream.controller.abort()
    expect(await project.rows(1)).toMatchObject([{ metadata: { outcome: 'cancelled', estimated: true } }])
    await slow.close()
  })
})
