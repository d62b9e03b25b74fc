import type { Context } from 'hono'
import { AppError } from '../platform/errors.js'
import { checkValues, nestsDeeperThan } from './json-guard.js'
import { HTTP_LIMITS } from './limits.js'
import { type NodeBindings, noteOf } from './note.js'
import { type BodyLimits, readBytes, tooLarge } from './read-bytes.js'

export type JsonBody = { readonly value: unknown; readonly text: string }

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads and parses a JSON body. Throws `unsupported-media-type`, `malformed-json`, what reading throws,
 * and `validation-failed` for values that no store can keep (NUL, lone surrogates, numbers beyond a double).
 * A body without a content type is taken for JSON, as the original did. An empty body gives `undefined`.
 */
export async function readJsonBody(c: Context, limits: BodyLimits, isPublic: boolean): Promise<JsonBody> {
  checkContentType(c.req.header('content-type'))
  const bytes = await readBody(c, limits, isPublic)
  if (bytes.length === 0) return { value: undefined, text: '' }
  const text = decode(bytes)
  if (nestsDeeperThan(text, HTTP_LIMITS.jsonDepthMax)) {
    throw new AppError('malformed-json', `The body nests deeper than ${HTTP_LIMITS.jsonDepthMax} levels.`)
  }
  const value = parse(text)
  const errors = checkValues(text, value)
  if (errors.length > 0) {
    throw new AppError('validation-failed', errors.map(({ pointer, message }) => `${pointer}: ${message}`).join('; '), {
      errors,
    })
  }
  return { value, text }
}

function checkContentType(contentType: string | undefined): void {
  if (contentType === undefined || contentType === '') return
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(mediaType)) return
  throw new AppError('unsupported-media-type', 'Send the body as application/json.')
}

function decode(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    throw new AppError('malformed-json', 'The body is not valid UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const where = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    throw new AppError(
      'malformed-json',
      `The body is not well-formed JSON${where === undefined ? '' : ` (at character ${where})`}.`,
    )
  }
}

async function readBody(c: Context, limits: BodyLimits, isPublic: boolean): Promise<Uint8Array> {
  const declared = Number(c.req.header('content-length') ?? 0)
  if (declared > limits.bytesMax) throw tooLarge(limits.bytesMax)
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming
  if (incoming !== undefined) return readBytes(incoming, noteOf(c), limits, isPublic)
  // Without the listener (`app.request()`), the body is in memory already.
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.length > limits.bytesMax) throw tooLarge(limits.bytesMax)
  return bytes
}
