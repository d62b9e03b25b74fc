import { describe, expect, test } from 'vitest'
import { presentedKey } from '../../src/http/presented-key.js'
import { AppError } from '../../src/platform/errors.js'

type Sent = Readonly<Record<string, string>>

const present = (sent: Sent): string => presentedKey((name) => sent[name])

function refusal(sent: Sent): AppError {
  try {
    present(sent)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('the key was accepted')
}

const CARRIERS: readonly (readonly [string, (key: string) => Sent])[] = [
  ['x-project-key', (key) => ({ 'x-project-key': key })],
  ['x-api-key', (key) => ({ 'x-api-key': key })],
  ['authorization', (key) => ({ authorization: `Bearer ${key}` })],
]
const SUBSETS = [1, 2, 3, 4, 5, 6, 7].map((bits) => CARRIERS.filter((_, index) => (bits >> index) & 1))
const names = (carriers: typeof CARRIERS): string => carriers.map(([name]) => name).join(' + ')
const sendAll = (carriers: typeof CARRIERS, keyOf: (index: number) => string): Sent =>
  Object.assign({}, ...carriers.map(([, carry], index) => carry(keyOf(index))))

describe('a key', () => {
  test.each(SUBSETS.map((carriers) => [names(carriers), carriers] as const))('is read from %s', (_, carriers) => {
    expect(present(sendAll(carriers, () => 'the-key'))).toBe('the-key')
  })

  test.each(SUBSETS.filter((carriers) => carriers.length > 1).map((carriers) => [names(carriers), carriers] as const))(
    'is refused where %s disagree',
    (_, carriers) => {
      expect(refusal(sendAll(carriers, (index) => `key-${index}`)).code).toBe('conflicting-keys')
    },
  )

  test.each(['Bearer the-key', 'bearer the-key', 'BEARER the-key', 'Bearer    the-key'])('is read from %j', (value) => {
    expect(present({ authorization: value })).toBe('the-key')
  })

  test.each(['Basic dGhlLWtleQ==', 'the-key', 'Bearerthe-key', 'Token the-key', 'Bearer', ''])(
    'is not taken from the authorization %j',
    (value) => {
      expect(refusal({ authorization: value }).code).toBe('key-required')
    },
  )

  test('in another scheme than Bearer does not hide one in a header of its own', () => {
    expect(present({ authorization: 'Basic dGhlLWtleQ==', 'x-api-key': 'the-key' })).toBe('the-key')
  })

  test('loses the blanks around it', () => {
    expect(present({ 'x-project-key': '  the-key \t' })).toBe('the-key')
    expect(present({ 'x-project-key': ' the-key', authorization: 'Bearer the-key  ' })).toBe('the-key')
  })

  test.each(['', ' ', '\t\t'])('that is blank (%j) counts as none', (blank) => {
    expect(refusal({ 'x-project-key': blank }).code).toBe('key-required')
    expect(present({ 'x-project-key': blank, 'x-api-key': 'the-key' })).toBe('the-key')
  })

  test('has at most 255 characters', () => {
    expect(present({ 'x-api-key': 'k'.repeat(255) })).toHaveLength(255)
    expect(refusal({ 'x-api-key': 'k'.repeat(256) }).code).toBe('malformed-key')
  })

  test.each(['a b', 'a\tb', 'a\u00a0b', 'the-key, the-key'])('has no white space inside (%j)', (key) => {
    expect(refusal({ 'x-project-key': key }).code).toBe('malformed-key')
  })

  test.each(['a', 'ключ', 'a,b', "';drop/**/table/**/projects;--", '__proto__', '../../etc/passwd'])(
    'may be spelled %j',
    (key) => {
      expect(present({ 'x-project-key': key })).toBe(key)
    },
  )

  test('is in no message that refuses it', () => {
    const refusals = [
      refusal({ 'x-project-key': 'sesame one', 'x-api-key': 'sesame one' }),
      refusal({ 'x-project-key': 'sesame', 'x-api-key': 'sesame-two' }),
      refusal({ 'x-project-key': 'sesame'.repeat(50) }),
    ]
    for (const error of refusals) expect(error.message).not.toContain('sesame')
  })
})
