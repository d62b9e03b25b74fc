import type { AppError } from '../platform/errors.js'
import { PROBLEMS, type ProblemCode } from '../platform/problem-catalogue.js'
import { type ErrorShape, errorMembers } from './error-shape.js'

export const PROBLEM_TYPE = 'application/problem+json'

export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  readonly request_id: string
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
  readonly current?: unknown
  readonly revision?: number
}

/** The body of a problem (RFC 9457). `detail` is always a string: old clients read it. */
export function problemBody(error: AppError, requestId: string, shape: ErrorShape | null = null): Problem {
  const { status, title } = PROBLEMS[error.code]
  const { errors, current, revision } = error.extras
  return {
    type: `urn:llmring:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(errors === undefined ? {} : { errors }),
    ...(current === undefined ? {} : { current }),
    ...(revision === undefined ? {} : { revision }),
    ...errorMembers(shape, error),
  }
}

/** The headers that a problem needs beside its body. */
export function problemHeaders(error: AppError): Record<string, string> {
  const { retryAfterSeconds, allow, acceptEncoding, headers } = error.extras
  const { status } = PROBLEMS[error.code]
  return {
    'Content-Type': PROBLEM_TYPE,
    'Cache-Control': 'no-store',
    // The rest of the request may still come: it must not be taken for another one.
    ...(status === 408 ? { Connection: 'close' } : {}),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    ...(allow === undefined ? {} : { Allow: allow.join(', ') }),
    ...(acceptEncoding === undefined ? {} : { 'Accept-Encoding': acceptEncoding }),
    ...headers,
  }
}

export function problemResponse(error: AppError, requestId: string, shape: ErrorShape | null = null): Response {
  const headers = problemHeaders(error)
  const body = JSON.stringify(problemBody(error, requestId, shape))
  return new Response(body, { status: PROBLEMS[error.code].status, headers })
}
