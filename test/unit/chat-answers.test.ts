import { describe, expect, test } from 'vitest'
import {
  type Members,
  type StreamFrame,
  type StreamTranslator,
  toAnthropicAnswer,
  toAnthropicStream,
  toOpenAiAnswer,
  toOpenAiStream,
} from '../../src/core/chat/index.js'

const ANTHROPIC_USAGE = {
  ...{ input_tokens: 10, output_tokens: 7, cache_read_input_tokens: 30, cache_creation_input_tokens: 50 },
}

describe("an answer of Anthropic's", () => {
  const answer = {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', stop_reason: 'tool_use' },
    content: [
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Let me ' },
      { type: 'text', text: 'see.' },
      { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
    ],
    usage: ANTHROPIC_USAGE,
  }

  test('is one of OpenAI with its text, its calls and all its tokens', () => {
    expect(toOpenAiAnswer(answer, 1_767_225_600)).toMatchObject({
      ...{ id: 'msg_1', object: 'chat.completion', created: 1_767_225_600, model: 'claude' },
      choices: [
        {
          ...{ index: 0, finish_reason: 'tool_calls' },
          message: {
            ...{ role: 'assistant', content: 'Let me see.', reasoning_content: 'Hm.' },
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
          },
        },
      ],
      usage: {
        ...{ prompt_tokens: 90, completion_tokens: 7, total_tokens: 97 },
        prompt_tokens_details: { cached_tokens: 30 },
      },
    })
  })

  test('that is the input of the tool for JSON is that, and calls no tool', () => {
    const json = { type: 'tool_use', id: 'b', name: 'answer', input: { city: 'Oslo', degrees: [1, 2.5] } }
    const told = { ...answer, content: [json] }
    expect(toOpenAiAnswer(told, 0, true)['choices']).toEqual([
      {
        ...{ index: 0, finish_reason: 'stop' },
        message: { role: 'assistant', content: '{"city":"Oslo","degrees":[1,2.5]}' },
      },
    ])
    expect(toOpenAiAnswer({ ...told, stop_reason: 'max_tokens' }, 0, true)['choices']).toMatchObject([
      { finish_reason: 'length' },
    ])
    // A caller with a tool of that name wanted it called.
    expect(toOpenAiAnswer(told, 0)['choices']).toMatchObject([{ finish_reason: 'tool_calls' }])
    // What refuses to answer says so in words.
    const refused = { ...answer, content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal' }
    expect(toOpenAiAnswer(refused, 0, true)['choices']).toMatchObject([
      { finish_reason: 'content_filter', message: { content: 'No.' } },
    ])
  })

  test('that only calls tools has no content', () => {
    const only = toOpenAiAnswer({ ...answer, content: answer.content.slice(3) }, 0)
    expect(only['choices']).toMatchObject([{ message: { content: null } }])
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['refusal', 'content_filter'],
    ['something new', 'stop'],
  ])('that ended with %s ended with %s', (reason, finished) => {
    const { choices } = toOpenAiAnswer({ ...answer, content: [], stop_reason: reason }, 0)
    expect(choices).toMatchObject([{ finish_reason: finished }])
  })
})

describe("an answer of OpenAI's", () => {
  const called = { id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }
  const answer = (message: Members, finished = 'stop') => ({
    ...{ id: 'chatcmpl-1', model: 'gpt', choices: [{ index: 0, message, finish_reason: finished }] },
    usage: { prompt_tokens: 21, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 5 } },
  })

  test('is one of Anthropic with its text, its calls and all its tokens', () => {
    expect(toAnthropicAnswer(answer({ content: 'Let me see.', tool_calls: [called] }, 'tool_calls'))).toEqual({
      ...{ id: 'chatcmpl-1', type: 'message', role: 'assistant', model: 'gpt' },
      content: [
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Oslo' } },
      ],
      ...{ stop_reason: 'tool_use', stop_sequence: null },
      usage: { input_tokens: 16, output_tokens: 7, cache_read_input_tokens: 5, cache_creation_input_tokens: 0 },
    })
  })

  test.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
    ['something new', 'end_turn'],
  ])('that ended with %s ended with %s', (finished, reason) => {
    expect(toAnthropicAnswer(answer({ content: 'x' }, finished))).toMatchObject({ stop_reason: reason })
  })

  test('that calls tools says so, whatever its upstream calls that', () => {
    expect(toAnthropicAnswer(answer({ content: null, tool_calls: [called] }))).toMatchObject({
      ...{ stop_reason: 'tool_use', content: [{ type: 'tool_use' }] },
    })
  })

  test('without anything in it is an empty one', () => {
    expect(toAnthropicAnswer({})).toMatchObject({ content: [], stop_reason: 'end_turn', usage: { input_tokens: 0 } })
  })
})

/** What a caller gets of these events. */
function run(translator: StreamTranslator, events: readonly Members[]): readonly StreamFrame[] {
  return [...events.flatMap((event) => translator.take(event)), ...translator.end()]
}
const dataOf = (frames: readonly StreamFrame[]): Members[] =>
  frames.flatMap(({ data }) => (typeof data === 'string' ? [] : [data]))

describe("a stream of Anthropic's for a caller of OpenAI's surface", () => {
  const events: Members[] = [
    {
      type: 'message_start',
      message: { id: 'msg_1', model: 'claude', usage: { ...ANTHROPIC_USAGE, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Let me see.' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'a', name: 'weather', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"city":' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"Oslo"}' } },
    { type: 'content_block_stop', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'b', name: 'now', input: {} } },
    { type: 'content_block_stop', index: 2 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ]
  const options = { wantsUsage: true, createdSeconds: 5 }

  test('has its text and the arguments of each call, and ends with its reason and its usage', () => {
    const frames = run(toOpenAiStream(options), events)
    expect(frames.at(-1)).toEqual({ data: '[DONE]' })
    const chunks = dataOf(frames)
    expect(chunks.every((chunk) => chunk['id'] === 'msg_1' && chunk['model'] === 'claude')).toBe(true)
    const deltas = chunks.flatMap((chunk) => (chunk['choices'] as { delta: Members }[]).map(({ delta }) => delta))
    expect(deltas.map((delta) => delta['content'] ?? '').join('')).toBe('Let me see.')
    const calls = ['', '']
    for (const delta of deltas) {
      for (const one of (delta['tool_calls'] ?? []) as { index: number; function: { arguments: string } }[]) {
        calls[one.index] += one.function.arguments
      }
    }
    expect(calls).toEqual(['{"city":"Oslo"}', '{}'])
    expect(chunks.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 90, completion_tokens: 7 } })
  })

  test('that is the input of the tool for JSON is that, and calls no tool', () => {
    const block = { type: 'tool_use', id: 'b', name: 'answer', input: {} }
    const json = (text: string) => ({
      ...{ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: text } },
    })
    const told = (...texts: string[]): Members[] => [
      ...events.slice(0, 1),
      { type: 'content_block_start', index: 0, content_block: block },
      ...texts.map(json),
      { type: 'content_block_stop', index: 0 },
      ...events.slice(-2),
    ]
    const choicesOf = (frames: readonly StreamFrame[]) => dataOf(frames).flatMap(({ choices }) => choices as Members[])
    const said = (of: readonly Members[]) =>
      of.map(({ delta }) => (delta as { content?: string }).content ?? '').join('')
    const choices = choicesOf(run(toOpenAiStream({ ...options, isJsonTool: true }), told('', '{"city":', '"Oslo"}')))
    expect(said(choices)).toBe('{"city":"Oslo"}')
    expect(JSON.stringify(choices)).not.toContain('tool')
    expect(choices.at(-1)).toMatchObject({ finish_reason: 'stop' })
    expect(said(choicesOf(run(toOpenAiStream({ ...options, isJsonTool: true }), told())))).toBe('{}')
    const called = choicesOf(run(toOpenAiStream(options), told('{}')))
    expect(called.at(-1)).toMatchObject({ finish_reason: 'tool_calls' })
  })

  test('names each call once, with its id', () => {
    const chunks = dataOf(run(toOpenAiStream(options), events))
    const named = JSON.stringify(chunks).match(/"name":"\w+"/g)
    expect(named).toEqual(['"name":"weather"', '"name":"now"'])
  })

  test('shows no usage to who did not ask for it', () => {
    expect(JSON.stringify(run(toOpenAiStream({ ...options, wantsUsage: false }), events))).not.toContain('usage')
  })

  test('has what the model thought apart from what it says', () => {
    const thought = { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } }
    const [chunk] = dataOf(toOpenAiStream(options).take(thought))
    expect(chunk).toMatchObject({ choices: [{ delta: { reasoning_content: 'Hm.' } }] })
  })

  test('passes over events that are new', () => {
    expect(toOpenAiStream(options).take({ type: 'unheard_of' })).toEqual([])
    expect(toOpenAiStream(options).take({})).toEqual([])
  })
})

describe("a stream of OpenAI's for a caller of Anthropic's surface", () => {
  const chunk = (delta: Members, finished: string | null = null): Members => ({
    ...{ id: 'chatcmpl-1', model: 'gpt', choices: [{ index: 0, delta, finish_reason: finished }] },
  })
  const call = (index: number, sent: string, named: Members = {}) =>
    chunk({ tool_calls: [{ index, ...named, function: { ...named, arguments: sent } }] })
  const chunks: Members[] = [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Let me ' }),
    chunk({ content: 'see.' }),
    call(0, '', { id: 'a', name: 'weather' }),
    call(1, '{"zone"', { id: 'b', name: 'now' }),
    call(0, '{"city":"Oslo"}'),
    call(1, ':1}'),
    chunk({}, 'tool_calls'),
    { id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: 21, completion_tokens: 7 } },
  ]

  test('has a block for its text and one for each call, however their pieces are mixed', () => {
    const frames = run(toAnthropicStream(), chunks)
    expect(frames.every(({ event, data }) => typeof data !== 'string' && event === data['type'])).toBe(true)
    const events = dataOf(frames)
    expect(events[0]).toMatchObject({ type: 'message_start', message: { id: 'chatcmpl-1', role: 'assistant' } })
    const started = events.filter(({ type }) => type === 'content_block_start')
    expect(started.map((event) => [event['index'], event['content_block']])).toEqual([
      [0, { type: 'text', text: '' }],
      [1, { type: 'tool_use', id: 'a', name: 'weather', input: {} }],
      [2, { type: 'tool_use', id: 'b', name: 'now', input: {} }],
    ])
    const texts = ['', '', '']
    for (const event of events) {
      const { text, partial_json: json } = (event['delta'] ?? {}) as { text?: string; partial_json?: string }
      if (event['type'] === 'content_block_delta') texts[event['index'] as number] += text ?? json ?? ''
    }
    expect(texts).toEqual(['Let me see.', '{"city":"Oslo"}', '{"zone":1}'])
  })

  test('closes each block once, and ends with its reason and its usage', () => {
    const events = dataOf(run(toAnthropicStream(), chunks))
    const closed = events.filter(({ type }) => type === 'content_block_stop').map((event) => event['index'])
    expect(closed).toEqual([0, 1, 2])
    expect(events.at(-2)).toMatchObject({
      ...{ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null } },
      usage: { input_tokens: 21, output_tokens: 7 },
    })
    expect(events.at(-1)).toEqual({ type: 'message_stop' })
  })

  test('without any text is a message all the same', () => {
    const events = dataOf(run(toAnthropicStream(), [chunk({}, 'length')]))
    expect(events.map(({ type }) => type)).toEqual(['message_start', 'message_delta', 'message_stop'])
    expect(events[1]).toMatchObject({ delta: { stop_reason: 'max_tokens' } })
  })
})
