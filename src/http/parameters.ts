import type { Context } from 'hono'
import { AppError } from '../platform/errors.js'
import { faultOf } from './body/json-guard.js'
import { invalid } from './validate.js'

/** The path's parameters, decoded once; the router works on the path as it was sent, so `%2F` is no separator. */
export function pathValues(c: Context): Record<string, string> {
  checkEncoding(c.req.url)
  return checked(c, c.req.param() as Record<string, string>, 'path')
}

/** Hono takes what it cannot decode as it stands, so one value would have two spellings: `%ff` and `%25ff`. */
function checkEncoding(url: string): void {
  if (!url.includes('%')) return
  try {
    decodeURIComponent(url)
  } catch {
    throw new AppError('malformed-request', 'The address is not valid percent-encoded UTF-8.')
  }
}

/** The query's values. An empty one means absent, unless its name is in `kept`. */
export function queryValues(c: Context, kept: readonly string[] = []): Record<string, string> {
  checkEncoding(c.req.url)
  const values: Record<string, string> = c.req.query()
  for (const name in values) if (values[name] === '' && !kept.includes(name)) delete values[name]
  return checked(c, values, 'query')
}

/** Percent-encoding can spell one character that no store keeps (it cannot spell a lone surrogate). */
function checked(c: Context, values: Record<string, string>, where: string): Record<string, string> {
  if (!c.req.url.includes('%00')) return values
  const errors = Object.entries(values).flatMap(([name, value]) => {
    const message = faultOf(value)
    return message === undefined ? [] : [{ pointer: `${where}/${name}`, message }]
  })
  if (errors.length > 0) throw invalid(errors)
  return values
}
