import type { AppError } from '../platform/errors.js'
import { PROBLEMS } from '../platform/problem-catalogue.js'

/** Whose client libraries read the errors of a route. */
export type ErrorShape = 'openai' | 'anthropic'

/**
 * What those libraries look for in the body of an error: without `error` that of OpenAI says "no body", and that of
 * Anthropic wants `type: "error"` beside it.
 */
export function errorMembers(shape: ErrorShape | null, { code, message, extras }: AppError): Record<string, unknown> {
  if (shape === null) return {}
  const { status } = PROBLEMS[code]
  const type = extras.upstreamType ?? (shape === 'openai' ? openAiType(status) : anthropicType(status))
  if (shape === 'anthropic') return { type: 'error', error: { type, message } }
  const param = extras.errors?.[0]?.pointer.replace(/^\//, '').replaceAll('/', '.') ?? null
  return { error: { message, type, code, param } }
}

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

function anthropicType(status: number): string {
  return ANTHROPIC_TYPES.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
}

const ANTHROPIC_TYPES = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
])
