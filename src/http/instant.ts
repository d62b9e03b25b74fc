import { z } from '@hono/zod-openapi'

/** A time in a response: RFC 3339 in UTC, with milliseconds. */
export const instant = () => z.string().openapi({ format: 'date-time', example: '2026-01-31T12:00:00.000Z' })
