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
