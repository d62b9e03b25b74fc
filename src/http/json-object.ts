import { z } from '@hono/zod-openapi'

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Any JSON object of at most `bytesMax` bytes of JSON, kept as it was parsed: a record schema would copy it and lose a
 * member that is named `__proto__`.
 */
export function jsonObject(bytesMax: number) {
  return z
    .custom<JsonObject>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be an object',
    )
    .refine(
      (value) => Buffer.byteLength(JSON.stringify(value)) <= bytesMax,
      `must have at most ${bytesMax} bytes of JSON`,
    )
    .openapi({ type: 'object', additionalProperties: true })
}
