import { expect } from 'vitest'
import { PROBLEMS, type ProblemCode } from '../../src/platform/problem-catalogue.js'
import type { Answer } from './open-contract.js'

/** Holds an answer against everything that is promised of a problem. */
export function expectProblem(answer: Answer, code: ProblemCode): void {
  const body = withoutLibraryMembers(answer.json, code)
  expect({ status: answer.status, type: answer.headers.get('content-type'), body }).toEqual({
    status: PROBLEMS[code].status,
    type: 'application/problem+json',
    body: {
      type: `urn:llmring:problem:${code}`,
      title: PROBLEMS[code].title,
      status: PROBLEMS[code].status,
      detail: expect.stringMatching(/\S/),
      code,
      request_id: answer.headers.get('x-request-id'),
      ...(code === 'validation-failed' ? { errors: expect.any(Array) } : {}),
    },
  })
  expectManners(answer)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  if (code === 'validation-failed') expectFieldErrors(answer)
}

/** Less what the libraries of OpenAI and Anthropic look for, on the routes that they call. */
function withoutLibraryMembers(json: unknown, code: ProblemCode): unknown {
  const { error, ...problem } = json as { error?: { message: string; type: string }; type: string; detail: string }
  if (error === undefined) return json
  expect(error).toMatchObject({
    message: problem.detail,
    type: expect.stringMatching(/^\w+_error$|^request_too_large$/),
  })
  return problem.type === 'error' ? { ...problem, type: `urn:llmring:problem:${code}` } : problem
}

function expectFieldErrors({ json }: Answer): void {
  const { errors } = json as { errors: { pointer: string; message: string }[] }
  expect(errors.length).toBeGreaterThan(0)
  for (const { pointer, message } of errors) {
    expect(pointer).toMatch(/^((path|query)?\/.*)?$/s)
    expect(message).toMatch(/\S/)
  }
}

/** What every answer carries, whatever it is. */
export function expectManners(answer: Answer): void {
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  expect(answer.headers.get('cache-control')).toMatch(/\S/)
}
