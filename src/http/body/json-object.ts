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
    .refine((value) => jsonBytes(value) <= bytesMax, `must have at most ${bytesMax} bytes of JSON`)
    .openapi({ type: 'object', additionalProperties: true })
}

const EXPONENT = /\de[+-]\d/

/**
 * The bytes of a value's JSON with its numbers written out, as Postgres keeps and answers them: `1e300` is 301 digits
 * there, so that a body of 64 KiB could fill megabytes.
 */
export function jsonBytes(value: unknown, text: string = JSON.stringify(value) ?? ''): number {
  return Buffer.byteLength(text) + (EXPONENT.test(text) ? digitsWrittenOut(value) : 0)
}

function digitsWrittenOut(value: unknown): number {
  if (typeof value === 'number') return Math.abs(Number(String(value).split('e')[1] ?? 0))
  if (typeof value !== 'object' || value === null) return 0
  let digits = 0
  for (const member of Object.values(value)) digits += digitsWrittenOut(member)
  return digits
}
