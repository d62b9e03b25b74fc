import { describe, expect, test } from 'vitest'
import { type Members, toAnthropicRequest, toOpenAiRequest } from '../../src/core/chat/index.js'

const toAnthropic = (body: Members): Members => {
  const result = toAnthropicRequest(body)
  if (!result.ok) throw new Error(`${result.pointer}: ${result.message}`)
  return result.request
}
const toOpenAi = (body: Members): Members => {
  const result = toOpenAiRequest(body)
  if (!result.ok) throw new Error(`${result.pointer}: ${result.message}`)
  return result.request
}
const PNG = 'iVBORw0KGgo='
const user = (content: unknown) => ({ role: 'user', content })

describe("OpenAI's request for an upstream of Anthropic's", () => {
  test('has its system prompts apart, and a limit though none was set', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Speak plainly.' }] },
      user('Hello'),
    ]
    expect(toAnthropic({ messages })).toEqual({
      max_tokens: 4_096,
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Speak plainly.' },
      ],
      messages: [user([{ type: 'text', text: 'Hello' }])],
    })
  })

  test('has its parameters by their other names, within their other ranges', () => {
    const body = {
      ...{ messages: [user('Hi')], max_completion_tokens: 50, max_tokens: 70, temperature: 1.7, top_p: 0.9 },
      ...{ stop: 'END', user: 'u-1', stream: true, logprobs: true, n: 2 },
    }
    const { messages: _, ...rest } = toAnthropic(body)
    expect(rest).toEqual({
      ...{ max_tokens: 50, temperature: 1, top_p: 0.9, stop_sequences: ['END'], stream: true },
      metadata: { user_id: 'u-1' },
    })
    expect(toAnthropic({ messages: [user('Hi')], stop: ['A', 'B'] })['stop_sequences']).toEqual(['A', 'B'])
  })

  test('holds its answer to a schema if that is strict and the model can, and else asks for JSON in words', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    }
    const body = (strict: boolean) => ({
      messages: [user('Hi')],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict, schema } },
    })
    const takes = { takesJsonSchema: true, takesJsonTool: false }
    const held = toAnthropicRequest(body(true), takes)
    expect(held).toMatchObject({ request: { output_config: { format: { type: 'json_schema', schema } } } })
    expect(held).not.toHaveProperty('request.system')
    const asked = [toAnthropicRequest(body(true)), toAnthropicRequest(body(false), takes)]
    asked.push(toAnthropicRequest({ messages: [user('Hi')], response_format: { type: 'json_object' } }, takes))
    for (const one of asked) {
      expect(one).toMatchObject({ request: { system: [{ text: expect.stringContaining('JSON') }] } })
      expect(one).not.toHaveProperty('request.output_config')
    }
    expect(
      toOpenAi({ messages: [user('Hi')], output_config: { format: { type: 'json_schema', schema } } }),
    ).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
  })

  test('has images and files as they came: their data, or where they are', () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PNG}` } },
    ]
    expect(toAnthropic({ messages: [user(content)] })['messages']).toEqual([
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
        { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } },
        { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PNG } },
      ]),
    ])
  })

  test('has calls of tools in the answer, and all their results in the one message that follows', () => {
    const call = (id: string, sent: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: sent },
    })
    const messages = [
      user('Rain?'),
      { role: 'assistant', content: 'Let me see.', tool_calls: [call('a', '{"city":"Oslo"}'), call('b', '')] },
      { role: 'tool', tool_call_id: 'a', content: 'yes' },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'no' }] },
      user('And tomorrow?'),
    ]
    expect(toAnthropic({ messages })['messages']).toEqual([
      user([{ type: 'text', text: 'Rain?' }]),
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
        ],
      },
      user([
        { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'yes' }] },
        { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'no' }] },
        { type: 'text', text: 'And tomorrow?' },
      ]),
    ])
  })

  test('keeps arguments that are no JSON', () => {
    const called = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"city": Os' } }
    const messages = [user('Hi'), { role: 'assistant', content: null, tool_calls: [called] }]
    expect(JSON.stringify(toAnthropic({ messages }))).toContain('"input":{"arguments":"{\\"city\\": Os"}')
  })

  test.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'tool', name: 'f' },
    ],
  ])('chooses tools alike: %j', (choice, chosen) => {
    const tools = [{ type: 'function', function: { name: 'f', description: 'F', parameters: { type: 'object' } } }]
    const request = toAnthropic({ messages: [user('Hi')], tools, tool_choice: choice })
    expect(request['tools']).toEqual([{ name: 'f', description: 'F', input_schema: { type: 'object' } }])
    expect(request['tool_choice']).toEqual(chosen)
    const single = toAnthropic({ messages: [user('Hi')], tools, tool_choice: 'required', parallel_tool_calls: false })
    expect(single['tool_choice']).toEqual({ type: 'any', disable_parallel_tool_use: true })
  })

  test('asks for JSON in words', () => {
    const asked = (format: unknown) => JSON.stringify(toAnthropic({ messages: [user('Hi')], response_format: format }))
    expect(asked({ type: 'json_object' })).toContain('one JSON value')
    expect(asked({ type: 'json_schema', json_schema: { schema: { type: 'object' } } })).toContain('JSON schema')
    expect(asked({ type: 'text' })).not.toContain('JSON')
  })

  test('asks for any JSON object by a tool that has to be called, if there are no others', () => {
    const takes = { takesJsonSchema: true, takesJsonTool: true }
    const wanted = { messages: [user('Hi')], response_format: { type: 'json_object' } }
    const asked = toAnthropicRequest(wanted, takes)
    expect(asked).toMatchObject({
      request: {
        tools: [{ name: 'answer', input_schema: { type: 'object' } }],
        tool_choice: { type: 'tool', name: 'answer', disable_parallel_tool_use: true },
      },
    })
    expect(asked).not.toHaveProperty('request.system')
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const withTools = toAnthropicRequest({ ...wanted, tools }, takes)
    expect(withTools).toMatchObject({
      request: { tools: [{ name: 'f' }], system: [{ text: expect.stringContaining('JSON') }] },
    })
    expect(withTools).not.toHaveProperty('request.tool_choice')
    const without = toAnthropicRequest(wanted, { ...takes, takesJsonTool: false })
    expect(without).not.toHaveProperty('request.tools')
  })

  test('is refused for content that the other language has no word for', () => {
    const sound = [{ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }]
    expect(toAnthropicRequest({ messages: [user('Hi'), user(sound)] })).toMatchObject({
      ...{ ok: false, pointer: '/messages/1/content/0' },
    })
    const file = [{ type: 'file', file: { file_id: 'file-1' } }]
    expect(toAnthropicRequest({ messages: [user(file)] })).toMatchObject({ ok: false })
  })
})

describe("Anthropic's request for an upstream of OpenAI's", () => {
  test('has its system prompt as the first message', () => {
    expect(toOpenAi({ max_tokens: 9, system: 'Be brief.', messages: [user('Hello')] })).toEqual({
      max_tokens: 9,
      messages: [{ role: 'system', content: 'Be brief.' }, user('Hello')],
    })
    const system = [
      { type: 'text', text: 'One.' },
      { type: 'text', text: 'Two.', cache_control: { type: 'ephemeral' } },
    ]
    expect(toOpenAi({ max_tokens: 9, system, messages: [user('Hello')] })['messages']).toEqual([
      { role: 'system', content: 'One.\n\nTwo.' },
      user('Hello'),
    ])
  })

  test('has its parameters by their other names', () => {
    const body = {
      ...{ max_tokens: 9, messages: [user('Hi')], stop_sequences: ['END'], temperature: 0.4, top_p: 0.9, top_k: 5 },
      ...{ stream: true, metadata: { user_id: 'u-1' }, thinking: { type: 'enabled', budget_tokens: 1_024 } },
    }
    const { messages: _, ...rest } = toOpenAi(body)
    expect(rest).toEqual({ max_tokens: 9, stop: ['END'], temperature: 0.4, top_p: 0.9, stream: true, user: 'u-1' })
    expect(toOpenAiRequest(body, 'max_completion_tokens')).toMatchObject({ request: { max_completion_tokens: 9 } })
  })

  test('has images and documents as parts', () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
      { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Words.' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: PNG } },
    ]
    expect(toOpenAi({ messages: [user(content)] })['messages']).toEqual([
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
        { type: 'text', text: 'Words.' },
        { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PNG}` } },
      ]),
    ])
  })

  test('has results of tools as messages of their own, before what else the user said, and loses no image', () => {
    const messages = [
      user('Rain?'),
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 's' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
        ],
      },
      user([
        { type: 'tool_result', tool_use_id: 'a', content: 'yes' },
        {
          ...{ type: 'tool_result', tool_use_id: 'b', is_error: true },
          content: [
            { type: 'text', text: 'no map' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
          ],
        },
        { type: 'text', text: 'And tomorrow?' },
      ]),
    ]
    const call = (id: string, sent: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: sent },
    })
    expect(toOpenAi({ messages })['messages']).toEqual([
      user('Rain?'),
      { role: 'assistant', content: 'Let me see.', tool_calls: [call('a', '{"city":"Oslo"}'), call('b', '{}')] },
      { role: 'tool', tool_call_id: 'a', content: 'yes' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: no map' },
      user([
        { type: 'text', text: 'Of the result of the tool call b:' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        { type: 'text', text: 'And tomorrow?' },
      ]),
    ])
  })

  test.each([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'none' }, 'none'],
    [{ type: 'any' }, 'required'],
    [
      { type: 'tool', name: 'f' },
      { type: 'function', function: { name: 'f' } },
    ],
  ])('chooses tools alike: %j', (choice, chosen) => {
    const tools = [{ name: 'f', description: 'F', input_schema: { type: 'object' } }]
    const request = toOpenAi({ messages: [user('Hi')], tools, tool_choice: choice })
    expect(request['tools']).toEqual([
      { type: 'function', function: { name: 'f', description: 'F', parameters: { type: 'object' } } },
    ])
    expect(request['tool_choice']).toEqual(chosen)
  })

  test('is refused for tools and content that only Anthropic has', () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }]
    expect(toOpenAiRequest({ messages: [user('Hi')], tools })).toMatchObject({ ok: false, pointer: '/tools/0' })
    const blocks = [{ type: 'server_tool_use', id: 'x' }]
    expect(toOpenAiRequest({ messages: [user(blocks)] })).toMatchObject({ ok: false })
    const source = [{ type: 'image', source: { type: 'file', file_id: 'f' } }]
    expect(toOpenAiRequest({ messages: [user(source)] })).toMatchObject({ pointer: '/messages/0/content/0/source' })
  })
})

describe('there and back again', () => {
  test('a conversation with tools says the same', () => {
    const body = {
      max_tokens: 100,
      system: 'Be brief.',
      messages: [
        user('Rain?'),
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } }] },
        user([{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'yes' }] }]),
      ],
      tools: [{ name: 'weather', description: 'Says', input_schema: { type: 'object' } }],
      tool_choice: { type: 'any' },
    }
    expect(toAnthropic(toOpenAi(body))).toEqual({
      ...body,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [user([{ type: 'text', text: 'Rain?' }]), ...body.messages.slice(1)],
    })
  })
})
