import Anthropic from '@anthropic-ai/sdk'
import Earlier from 'anthropic-sdk-0'
import { afterAll, describe, expect, test } from 'vitest'
import { startGateway } from '../support/gateway-world.js'

const world = await startGateway({ providers: [{ name: 'echo', type: 'echo', models: [{ model: 'parrot' }] }] })
afterAll(() => world.close())

const messages = [{ role: 'user' as const, content: 'one two three' }]
const asked = { model: 'parrot', max_tokens: 100, messages }
const tools = [{ name: 'look_up', input_schema: { type: 'object' as const } }]

/** They send the key in different headers. */
describe.each([
  ['of today', () => open((apiKey) => new Anthropic({ apiKey, baseURL: world.url, maxRetries: 0 }))],
  [
    'of before',
    () => open((apiKey) => new Earlier({ apiKey, baseURL: world.url, maxRetries: 0 }) as never as Anthropic),
  ],
])("Anthropic's own library %s", (_, start) => {
  test('chats', async () => {
    const { client, project } = start()
    const answer = await client.messages.create(asked)
    expect(answer.content).toEqual([{ type: 'text', text: 'one two three' }])
    expect(answer.stop_reason).toBe('end_turn')
    expect(answer.usage.output_tokens).toBeGreaterThan(0)
    expect(await project.rows(1)).toMatchObject([{ provider: 'echo', metadata: { outcome: 'answered' } }])
  })

  test('streams', async () => {
    const { client, project } = start()
    const message = await client.messages.stream(asked).finalMessage()
    expect(message.content).toEqual([{ type: 'text', text: 'one two three' }])
    expect(await project.rows(1)).toHaveLength(1)
  })

  test('calls tools, in both ways', async () => {
    const { client } = start()
    const wanted = { ...asked, tools, tool_choice: { type: 'any' as const } }
    const use = { type: 'tool_use', name: 'look_up', input: { echo: 'one two three' } }
    expect((await client.messages.create(wanted)).content).toMatchObject([use])
    expect((await client.messages.stream(wanted).finalMessage()).content).toMatchObject([use])
  })

  test('counts tokens, and lists models', async () => {
    const { client } = start()
    expect((await client.messages.countTokens({ model: 'parrot', messages })).input_tokens).toBeGreaterThan(0)
    const { data } = await client.models.list()
    expect(data.map(({ id }) => id)).toEqual(['echo:parrot'])
    expect((await client.models.retrieve('echo:parrot')).type).toBe('model')
  })

  test('reads our errors', async () => {
    const { client } = start()
    const refused = client.messages.create({ ...asked, model: 'unheard-of' })
    await expect(refused).rejects.toMatchObject({
      ...{ status: 404, error: { type: 'error', error: { type: 'not_found_error' } } },
    })
  })
})

function open(create: (key: string) => Anthropic) {
  const project = world.project()
  return { project, client: create(project.key) }
}
