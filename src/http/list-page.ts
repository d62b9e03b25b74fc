import { z } from '@hono/zod-openapi'
import { AppError } from '../platform/errors.js'
import type { WarmResponse } from './listen/warm-lane.js'
import { JSON_TYPE, plainBytes } from './response.js'

/** Where a page ends, as the text of `after`. Opaque to callers: they hand it back as it was given. */
export function writeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** The position that a cursor of this shape holds. Throws `validation-failed` for a text that is no such cursor. */
export function readCursor<T>(shape: z.ZodType<T>, cursor: string): T {
  const position = shape.safeParse(parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  if (position.success) return position.data
  const message = 'must be the cursor of a page before'
  throw new AppError('validation-failed', `query/after: ${message}`, { errors: [{ pointer: 'query/after', message }] })
}

/** A name within a cursor: one that Postgres can compare with. */
export const cursorName = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'))

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The text of a page, and the cursor of the next one, if there is one. */
export type Page = { readonly text: string; readonly next: string | undefined }

/** One page of a list, as JSON; the header `Link` (RFC 8288) names the next one by the same query behind its cursor. */
export function pageResponse(
  { text, next }: Page,
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): WarmResponse {
  if (next === undefined) return plainBytes(text)
  const following = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, after: next })) {
    if (value !== undefined) following.set(name, String(value))
  }
  return plainBytes(text, { 'Content-Type': JSON_TYPE, Link: `<${path}?${following}>; rel="next"` })
}
