import { z } from '@hono/zod-openapi'

/**
 * A whole number in a query, in plain decimal digits. What other readers of numbers take for one too (`1e1`, `0x10`, `
 * 5`, blanks) is a mistake here, and its sender should hear of it.
 */
export function queryInteger(least: number, most: number) {
  return z
    .string()
    .regex(/^\d+$/, 'must be a whole number in decimal digits')
    .transform(Number)
    .refine((value) => value >= least, `must be at least ${least}`)
    .refine((value) => value <= most, `must be at most ${most}`)
    .openapi({ type: 'integer', minimum: least, maximum: most })
}
