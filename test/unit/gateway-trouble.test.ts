import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/routing/index.js'
import { explainTrouble, UpstreamTrouble } from '../../src/features/gateway/serve/trouble.js'
import { hideCredential } from '../../src/features/gateway/serve/upstream.js'
import { errorMembers } from '../../src/http/error-shape.js'
import { problemBody, problemHeaders } from '../../src/http/problem.js'
import { AppError } from '../../src/platform/errors.js'

const explain = (outcome: Outcome, told: UpstreamTrouble['told'] = null) =>
  explainTrouble(new UpstreamTrouble(outcome, told), 'groq:llama')

describe('what a caller hears of trouble with an upstream', () => {
  test.each([400, 413, 415, 422])("is the upstream's own word if the request is to blame: %d", (status) => {
    const error = explain({ kind: 'status', status }, { message: 'max_tokens is too large', type: 'invalid_thing' })
    expect(error.code).toBe('upstream-refused')
    expect(error.message).toBe('max_tokens is too large')
    expect(errorMembers('openai', error)).toMatchObject({ error: { type: 'invalid_thing' } })
  })

  test.each([401, 402, 403, 404])('is nothing of what the operator has to mend: %d', (status) => {
    const error = explain({ kind: 'status', status }, { message: 'Your account is empty', type: null })
    expect([error.code, error.message]).toEqual(['upstream-failed', `groq:llama answered with status ${status}.`])
  })

  test.each([408, 409, 425, 500, 503, 529, 302])('is that it failed: %d', (status) => {
    expect(explain({ kind: 'status', status }).code).toBe('upstream-failed')
  })

  test.each([
    [undefined, 1],
    [0, 1],
    [200, 1],
    [6_500, 7],
    [3_600_000, 30],
  ])('is when to come back, if it takes no more for now: %s ms', (retryAfterMs, seconds) => {
    const error = explain({ kind: 'status', status: 429, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
    expect(problemHeaders(error)).toMatchObject({ 'Retry-After': String(seconds), 'x-should-retry': 'false' })
  })

  test.each(['refused', 'timeout', 'cut', 'garbage', 'error-in-answer', 'own-fault'] as const)(
    'names the backend and what it did, and no library tries again: %s',
    (kind) => {
      const error = explain({ kind }, { message: 'inner words', type: null })
      expect(error.code).toBe('upstream-failed')
      expect(error.message).toMatch(/^groq:llama .+\.$/)
      expect(error.message).not.toContain('inner words')
      expect(problemHeaders(error)).toMatchObject({ 'x-should-retry': 'false' })
    },
  )
})

describe('an error', () => {
  const invalid = new AppError('validation-failed', '/messages/0/role: must be a string', {
    errors: [{ pointer: '/messages/0/role', message: 'must be a string' }],
  })

  test("has the members that OpenAI's libraries read, beside those of a problem", () => {
    expect(problemBody(invalid, 'id-1', 'openai')).toMatchObject({
      ...{ type: 'urn:llmring:problem:validation-failed', status: 422, request_id: 'id-1' },
      error: { type: 'invalid_request_error', code: 'validation-failed', param: 'messages.0.role' },
    })
  })

  test.each([
    ['key-unknown', 'authentication_error'],
    ['role-not-allowed', 'permission_error'],
    ['model-not-found', 'not_found_error'],
    ['body-too-large', 'request_too_large'],
    ['too-many-requests', 'rate_limit_error'],
    ['overloaded', 'overloaded_error'],
    ['upstream-failed', 'api_error'],
    ['upstream-refused', 'invalid_request_error'],
  ] as const)("is of the kind that Anthropic's libraries know: %s", (code, type) => {
    expect(problemBody(new AppError(code, 'Said so.'), 'id-1', 'anthropic')).toMatchObject({
      ...{ type: 'error', code, detail: 'Said so.' },
      error: { type, message: 'Said so.' },
    })
  })

  test('elsewhere is a problem and nothing else', () => {
    expect(Object.keys(problemBody(invalid, 'id-1'))).not.toContain('error')
  })
})

describe("an upstream's words", () => {
  test('are shown without the credential, however often they quote it, and not at any length', () => {
    const provider = { credential: () => 'sk-planted', headers: {} }
    expect(hideCredential('sk-planted is no key: sk-planted', provider)).toBe('[hidden] is no key: [hidden]')
    expect(hideCredential('x'.repeat(5_000), provider)).toHaveLength(1_000)
    const inHeader = { credential: () => null, headers: { Authorization: 'Bearer xkey-planted', 'X-Title': 'demo' } }
    expect(hideCredential('a demo refuses xkey-planted', inHeader)).toBe('a demo refuses [hidden]')
    expect(hideCredential('as it is', { credential: () => null, headers: {} })).toBe('as it is')
  })
})
