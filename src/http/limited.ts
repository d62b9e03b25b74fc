import { z } from '@hono/zod-openapi'

/**
 * A list or map of at most `entriesMax` entries: counted before the schema looks at any of them, which would find one
 * fault for each. The schema says the limit again if the document is to show it.
 */
export function limited<T extends z.ZodType>(entriesMax: number, schema: T) {
  return z.preprocess((value, context) => {
    if (countEntries(value) <= entriesMax) return value
    context.addIssue({ code: 'custom', message: `must have at most ${entriesMax} entries` })
    return z.NEVER
  }, schema)
}

function countEntries(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Array.isArray(value) ? value.length : Object.keys(value).length
}
