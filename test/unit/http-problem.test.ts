import { describe, expect, test } from 'vitest'
import { problemBody, problemHeaders, problemResponse } from '../../src/http/problem.js'
import { AppError } from '../../src/platform/errors.js'
import { PROBLEMS, type ProblemCode } from '../../src/platform/problem-catalogue.js'

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

describe('every problem of the catalogue', () => {
  test.each(CODES)('%s: has the members that RFC 9457 and old clients know', (code) => {
    const body = problemBody(new AppError(code, 'What is wrong.'), 'request-1')
    const { status, title } = PROBLEMS[code]
    expect(body).toEqual({
      type: `urn:llmring:problem:${code}`,
      title,
      status,
      detail: 'What is wrong.',
      code,
      request_id: 'request-1',
    })
  })

  test.each(CODES)('%s: is sent with its status, its type and no leave to be kept', async (code) => {
    const answer = problemResponse(new AppError(code, 'What is wrong.'), 'request-1')
    expect(answer.status).toBe(PROBLEMS[code].status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({ code, request_id: 'request-1' })
  })

  test('has a status of an error and a title of its own', () => {
    for (const code of CODES) expect(PROBLEMS[code].status).toBeGreaterThanOrEqual(400)
    expect(new Set(CODES.map((code) => PROBLEMS[code].title)).size).toBe(CODES.length)
    for (const code of CODES) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
  })
})

describe('a problem', () => {
  test('says how to authenticate where it is a 401, and only there', () => {
    for (const code of CODES) {
      const expected = PROBLEMS[code].status === 401 ? 'Bearer' : undefined
      expect(problemHeaders(new AppError(code, 'x'))['WWW-Authenticate']).toBe(expected)
    }
  })

  test('carries what goes with it: fields, state, methods, and when to try again', () => {
    const errors = [{ pointer: '/a', message: 'is missing' }]
    expect(problemBody(new AppError('validation-failed', 'x', { errors }), 'r')).toMatchObject({ errors })
    expect(problemBody(new AppError('conflict', 'x', { current: null }), 'r')).toMatchObject({ current: null })
    expect(problemHeaders(new AppError('method-not-allowed', 'x', { allow: ['GET', 'HEAD'] }))['Allow']).toBe(
      'GET, HEAD',
    )
    expect(problemHeaders(new AppError('overloaded', 'x', { retryAfterSeconds: 2 }))['Retry-After']).toBe('2')
  })

  test('never carries its cause', () => {
    const cause = new Error('password authentication failed for user "llmring"')
    const error = new AppError('database-unavailable', 'The database does not answer.', { cause })
    expect(error.cause).toBe(cause)
    const { stack } = error
    expect(JSON.stringify(problemBody(error, 'r')) + JSON.stringify(problemHeaders(error))).not.toContain('password')
    expect(JSON.stringify(problemBody(error, 'r'))).not.toContain(stack?.split('\n')[1] ?? 'no stack')
  })
})
