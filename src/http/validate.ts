import type { z } from '@hono/zod-openapi'
import { AppError, type FieldError } from '../platform/errors.js'
import { wordsOf } from './describe/issue-words.js'
import { HTTP_LIMITS } from './limits.js'
import { pointerToken } from './pointer-token.js'

/** For every schema that reads what a caller sent: the messages leave the process. */
export const IN_OUR_WORDS = { error: wordsOf }

/** What a schema makes of a value. Throws `validation-failed`. `where` begins each pointer. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, where: 'path' | 'query' | ''): T {
  const parsed = schema.safeParse(value, IN_OUR_WORDS)
  if (parsed.success) return parsed.data
  throw invalid(issuesOf(parsed.error.issues, where))
}

/** The first faults that a schema found. Names and messages repeat what a caller sent: they are cut. */
export function issuesOf(issues: readonly z.core.$ZodIssue[], where: string): FieldError[] {
  return issues.slice(0, HTTP_LIMITS.errorsShownMax).map((issue) => {
    const path = issue.path.map((part) => pointerToken(String(part))).join('')
    return { pointer: where + path, message: issue.message }
  })
}

/** `validation-failed`, with at most `errorsShownMax` errors of bounded length. */
export function invalid(errors: readonly FieldError[]): AppError {
  const shown = errors.slice(0, HTTP_LIMITS.errorsShownMax).map(({ pointer, message }) => ({
    pointer: cut(pointer),
    message: cut(message),
  }))
  const detail = shown.map(({ pointer, message }) => (pointer === '' ? message : `${pointer}: ${message}`)).join('; ')
  return new AppError('validation-failed', detail, { errors: shown })
}

function cut(text: string): string {
  const most = HTTP_LIMITS.errorCharactersMax
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}
