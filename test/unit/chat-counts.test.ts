import { describe, expect, test } from 'vitest'
import {
  estimateAnswer,
  estimateRequestTokens,
  estimateTokens,
  openAiUsage,
  passAnthropicStream,
  passOpenAiStream,
  readAnswerError,
  readAnswerUsage,
  watchStream,
} from '../../src/core/chat/index.js'

describe('the usage of an answer', () => {
  test('of OpenAI counts what was cached once', () => {
    const usage = {
      ...{ prompt_tokens: 100, completion_tokens: 20 },
      prompt_tokens_details: { cached_tokens: 60 },
      completion_tokens_details: { reasoning_tokens: 5 },
    }
    const read = readAnswerUsage('openai', { usage })
    expect(read).toMatchObject({ input: 40, cacheRead: 60, output: 20, reasoning: 5 })
    expect(read && openAiUsage(read)).toMatchObject({ prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 })
  })

  test('of Anthropic counts what was cached beside the input, by how long it is kept', () => {
    const usage = {
      ...{ input_tokens: 10, output_tokens: 7, cache_read_input_tokens: 30, cache_creation_input_tokens: 50 },
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
    }
    expect(readAnswerUsage('anthropic', { usage })).toMatchObject({
      ...{ input: 10, cacheRead: 30, cacheWrite5m: 20, cacheWrite1h: 30, output: 7 },
    })
  })

  test.each([undefined, null, {}, [], 'many', { prompt_tokens: -1 }, { prompt_tokens: 1.5 }, { prompt_tokens: '7' }])(
    'is none for %j',
    (usage) => {
      expect(readAnswerUsage('openai', { usage })).toBeNull()
    },
  )

  test.each([
    { prompt_tokens: 7 },
    { prompt_tokens: 7, completion_tokens: -3 },
    { prompt_tokens: 1e13, completion_tokens: 5 },
    { prompt_tokens: 1e300, completion_tokens: 1e300 },
  ])('is none if one of its counts is no count: %j', (usage) => {
    expect(readAnswerUsage('openai', { usage })).toBeNull()
  })

  test('of Anthropic is none if its counts are beyond all that a model takes', () => {
    expect(readAnswerUsage('anthropic', { usage: { input_tokens: 1e18, output_tokens: 1e18 } })).toBeNull()
  })

  test('never holds more cached or reasoning tokens than there are', () => {
    const usage = {
      ...{ prompt_tokens: 5, completion_tokens: 3 },
      prompt_tokens_details: { cached_tokens: 50 },
      completion_tokens_details: { reasoning_tokens: 30 },
    }
    expect(readAnswerUsage('openai', { usage })).toMatchObject({ input: 0, cacheRead: 5, output: 3, reasoning: 3 })
  })
})

describe('an estimate', () => {
  test('is about a quarter of the characters of plain text, and one for each of other scripts', () => {
    expect(estimateTokens('')).toBe(0)
    expect(estimateTokens('the quick brown fox')).toBe(5)
    expect(estimateTokens('東京都庁')).toBe(4)
    expect(estimateTokens('🙂🙂')).toBe(2)
  })

  test('of a request counts its messages, its system prompt and its tools, and an image as one amount', () => {
    const messages = [{ role: 'user', content: 'a'.repeat(400) }]
    const plain = estimateRequestTokens({ messages })
    expect(plain).toBeGreaterThanOrEqual(100)
    expect(estimateRequestTokens({ messages, system: 'b'.repeat(400) })).toBeGreaterThanOrEqual(plain + 100)
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(1_000_000)}` } }
    expect(estimateRequestTokens({ messages: [{ role: 'user', content: [image] }] })).toBeLessThan(1_100)
  })

  test('of anything else is 0', () => {
    for (const body of [null, 7, 'text', [], {}]) expect(estimateRequestTokens(body)).toBe(0)
  })

  test('of an answer counts texts and calls of tools', () => {
    const calls = [{ function: { name: 'look_up', arguments: '{"query":"rain"}' } }]
    expect(estimateAnswer('openai', { choices: [{ message: { content: null, tool_calls: calls } }] })).toBeGreaterThan(
      3,
    )
    expect(estimateAnswer('anthropic', { content: [{ type: 'text', text: 'eight words' }] })).toBe(3)
  })
})

describe('what is watched of a stream', () => {
  test('of OpenAI is its usage, its text and whether it ended', () => {
    const watch = watchStream('openai')
    watch.see({ choices: [{ delta: { content: 'Hello' }, finish_reason: null }] })
    expect([watch.isComplete(), watch.usage()]).toEqual([false, null])
    expect(watch.outputTokens()).toBeGreaterThan(0)
    watch.see({ choices: [{ delta: {}, finish_reason: 'stop' }] })
    watch.see({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } })
    expect(watch.isComplete()).toBe(true)
    expect(watch.usage()).toMatchObject({ input: 3, output: 2 })
  })

  test('of Anthropic is its usage, which comes in two parts', () => {
    const watch = watchStream('anthropic')
    watch.see({ type: 'message_start', message: { usage: { input_tokens: 9, output_tokens: 1 } } })
    watch.see({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello there' } })
    watch.see({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 12 } })
    expect(watch.isComplete()).toBe(false)
    watch.see({ type: 'message_stop' })
    expect(watch.isComplete()).toBe(true)
    expect(watch.usage()).toMatchObject({ input: 9, output: 12 })
  })

  test('is an error, too, in either language', () => {
    const error = { type: 'overloaded_error', message: 'Too busy' }
    expect(readAnswerError({ type: 'error', error })).toEqual(error)
    expect(readAnswerError({ error: 'Too busy' })).toEqual({ message: 'Too busy', type: null })
    expect(readAnswerError({ choices: [], error: null })).toBeNull()
  })

  test('says its kind in one word, and nothing that stands there instead', () => {
    const error = { message: 'no', type: 'sk-planted-4711' }
    expect(readAnswerError({ error })).toEqual({ message: 'no', type: null })
  })
})

describe('a stream that is passed on', () => {
  const usage = { id: 'x', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }

  test('hides the usage that its caller did not ask for', () => {
    const hiding = passOpenAiStream({ wantsUsage: false })
    expect(hiding.take(usage)).toEqual([])
    const delta = { choices: [{ delta: { content: 'a' } }] }
    expect(hiding.take({ ...delta, usage: null })).toEqual([{ data: delta }])
    expect(passOpenAiStream({ wantsUsage: true }).take(usage)).toEqual([{ data: usage }])
    expect(hiding.end()).toEqual([{ data: '[DONE]' }])
  })

  test("of Anthropic keeps its events' names, and the last one for the end", () => {
    const passing = passAnthropicStream()
    expect(passing.take({ type: 'ping' })).toEqual([{ event: 'ping', data: { type: 'ping' } }])
    expect(passing.take({ type: 'message_stop' })).toEqual([])
    expect(passing.end()).toEqual([{ event: 'message_stop', data: { type: 'message_stop' } }])
  })
})
