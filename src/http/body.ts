import type { Context } from 'hono'
import { AppError } from '../platform/errors.js'
import { type NodeBindings, noteOf } from './note.js'
import { type BodyLimits, readBytes, tooLarge } from './read-bytes.js'

/**
 * The bytes of a JSON body. Throws `unsupported-media-type` and what reading throws. A body without a content type is
 * taken for JSON, as the original did.
 */
export async function readBody(c: Context, limits: BodyLimits, isPublic: boolean): Promise<Uint8Array> {
  checkContentType(c.req.header('content-type'))
  const declared = Number(c.req.header('content-length') ?? 0)
  if (declared > limits.bytesMax) throw tooLarge(limits.bytesMax)
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming
  if (incoming !== undefined) return readBytes(incoming, noteOf(c), limits, isPublic)
  // Without the listener (`app.request()`), the body is in memory already.
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.length > limits.bytesMax) throw tooLarge(limits.bytesMax)
  return bytes
}

function checkContentType(contentType: string | undefined): void {
  if (contentType === undefined || contentType === '') return
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (mediaType === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(mediaType)) return
  throw new AppError('unsupported-media-type', 'Send the body as application/json.')
}
