import { describe, expect, it } from 'vitest'
import { type Keyed, keyedCharsMax, requestKeys } from '../../src/core/routing/index.js'

const question = (content: unknown) => ({ model: 'fast', temperature: 0, messages: [{ role: 'user', content }] })
const SCOPE = { surface: 'openai', stream: false, candidates: ['a:b'] }
const keyed = (body: Keyed['body'], more: Partial<Keyed> = {}): Keyed => ({
  ...{ projectId: 'p1', scope: SCOPE, body },
  ...more,
})
const exact = (body: Keyed['body'], more: Partial<Keyed> = {}) => requestKeys(keyed(body, more))?.exact
const similar = (body: Keyed['body'], more: Partial<Keyed> = {}) => requestKeys(keyed(body, more))?.similar?.key

const BODY = question("What's the capital of France?")
const SAME = question('What is the capital of France')

describe('the exact key', () => {
  it('is equal for equal requests, in whatever order their members stand', () => {
    const { model, temperature, messages } = BODY
    expect(exact({ messages, temperature, model })).toBe(exact(BODY))
    expect(exact(SAME)).not.toBe(exact(BODY))
  })

  const OTHERS: [string, Keyed['body'], Partial<Keyed>][] = [
    ['another project', BODY, { projectId: 'p2' }],
    ['another surface', BODY, { scope: { ...SCOPE, surface: 'anthropic' } }],
    ['a stream', BODY, { scope: { ...SCOPE, stream: true } }],
    ['other backends', BODY, { scope: { ...SCOPE, candidates: ['a:c'] } }],
    ['another model', { ...BODY, model: 'slow' }, {}],
    ['another temperature', { ...BODY, temperature: 0.1 }, {}],
    ['a parameter that is unknown here', { ...BODY, frobnicate: 1 }, {}],
    ['a system prompt', { ...BODY, system: 'Be brief.' }, {}],
    ['a history', { ...BODY, messages: [{ role: 'assistant', content: 'Hi' }, ...BODY.messages] }, {}],
    ['another seed', { ...BODY, seed: 7 }, {}],
    ['null for nothing', { ...BODY, seed: null }, {}],
    ['a number for its text', { ...BODY, seed: '0', temperature: '0' }, {}],
  ]
  it.each(OTHERS)('differs for %s, and so does the semantic one', (_, body, more) => {
    expect(exact(body, more)).not.toBe(exact(BODY))
    expect(similar(body, more)).not.toBe(similar(BODY))
    expect(similar(body, more)).toBeDefined()
  })

  it('cannot be forged by a text that looks like the rest of a key', () => {
    const one = exact(question('a","role":"user"'))
    expect(one).not.toBe(exact(question('a')))
    expect(exact({ a: 'b', 'c":"d': 1 })).not.toBe(exact({ a: 'b","c":"d', 1: 1 }))
  })

  it('is none for what JSON may have misread, for what is too large, and for what is too deep', () => {
    expect(exact({ ...BODY, seed: 2 ** 53 })).toBeUndefined()
    expect(exact({ ...BODY, seed: Number.POSITIVE_INFINITY })).toBeUndefined()
    expect(exact(question('x'.repeat(keyedCharsMax)))).toBeUndefined()
    expect(exact({ ...BODY, stop: new Array(keyedCharsMax).fill(1) })).toBeUndefined()
    let deep: unknown = 1
    for (let level = 0; level < 200; level += 1) deep = [deep]
    expect(exact({ ...BODY, deep })).toBeUndefined()
    expect(exact({ ...BODY, seed: 2 ** 53 - 1 })).toBeDefined()
  })
})

describe('the semantic key', () => {
  it('is equal for the same question in other words, and only within an equal rest', () => {
    expect(similar(SAME)).toBe(similar(BODY))
    expect(similar({ ...SAME, top_p: 1 })).not.toBe(similar(BODY))
    expect(similar(question('What is the capital of Peru'))).not.toBe(similar(BODY))
  })

  it('reads the only text part of a message as its text', () => {
    expect(similar(question([{ type: 'text', text: 'What is the capital of France' }]))).toBe(similar(BODY))
    const cached = [{ type: 'text', text: 'What is the capital of France', cache_control: { type: 'ephemeral' } }]
    expect(similar(question(cached))).toBeUndefined()
  })

  const NONE: [string, Keyed['body']][] = [
    ['tools', { ...BODY, tools: [] }],
    ['functions', { ...BODY, functions: [] }],
    ['an image', question([{ type: 'image_url', image_url: {} }])],
    [
      'several parts',
      question([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
    ],
    ['a document', question('word '.repeat(2_000))],
    ['an answer as the last message', { ...BODY, messages: [{ role: 'assistant', content: 'Hi' }] }],
    ['no messages', { ...BODY, messages: [] }],
    ['no list of messages', { ...BODY, messages: 'x' }],
    ['a message that is none', { ...BODY, messages: [null] }],
  ]
  it.each(NONE)('is none with %s; the exact one stays', (_, body) => {
    expect(similar(body)).toBeUndefined()
    expect(exact(body)).toBeDefined()
  })

  it('is never an exact key', () => {
    expect(similar(BODY)).not.toBe(exact(BODY))
    expect(exact({ ...BODY, form: 'x' })).not.toBe(similar(BODY))
  })
})
