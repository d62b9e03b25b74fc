import { describe, expect, it } from 'vitest'
import { decodeMessage, dispatchMessage, encodeMessage, type Message } from '../../src/db/messages.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11'
/** One of each kind: a kind that is left out does not compile. */
const EACH: { readonly [Kind in Message['kind']]: Extract<Message, { kind: Kind }> } = {
  'aliases-changed': { kind: 'aliases-changed', projectId: PROJECT, revision: 9_007_199_254_740_991 },
  'key-changed': { kind: 'key-changed', hash: 'a0'.repeat(32) },
  'all-keys-changed': { kind: 'all-keys-changed' },
  'log-checkpoint': { kind: 'log-checkpoint', size: 7, witnesses: 1 },
}

describe('a message', () => {
  it.each(Object.values(EACH))('of kind $kind comes out as it went in', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message)
  })

  it.each(Object.values(EACH))('of kind $kind reaches the handler of its kind and no other', (message) => {
    const heard: [string, Message][] = []
    const handlers = Object.fromEntries(
      Object.keys(EACH).map((kind) => [kind, (said: Message) => void heard.push([kind, said])]),
    )
    dispatchMessage(handlers, message)
    dispatchMessage({}, message)
    expect(heard).toEqual([[message.kind, message]])
  })

  it.each([
    ['nothing', ''],
    ['what is no JSON', 'key a0'],
    ['a kind of a newer program', '{"kind":"checkpoint-made","size":7}'],
    ['a member too many', '{"kind":"all-keys-changed","but":"one"}'],
    ['a member too few', `{"kind":"aliases-changed","projectId":"${PROJECT}"}`],
    ['a revision that is no count', `{"kind":"aliases-changed","projectId":"${PROJECT}","revision":-1}`],
    ['a hash that is none', '{"kind":"key-changed","hash":"a0"}'],
  ])('is not read out of %s', (_what, text) => {
    expect(decodeMessage(text)).toBeUndefined()
  })

  it('that could not be read back is not sent', () => {
    expect(() => encodeMessage({ kind: 'key-changed', hash: 'A0'.repeat(32) })).toThrow()
  })
})
