import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { AppError } from '../platform/errors.js'
import { checkValues, nestsDeeperThan } from './json-guard.js'
import { HTTP_LIMITS } from './limits.js'
import type { NodeBindings } from './note.js'

export type JsonBody = { readonly value: unknown; readonly text: string }

export type BodyLimits = {
  readonly bytesMax: number
  /** The bytes that all requests together hold while their bodies arrive. */
  readonly budget: { bytes: number }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads and parses a JSON body. Throws `unsupported-media-type`, `body-too-large`, `malformed-json`, and
 * `validation-failed` for values that no store can keep (NUL, lone surrogates, numbers beyond a double).
 * A body without a content type is taken for JSON, as the original did. An empty body gives `undefined`.
 */
export async function readJsonBody(c: Context, limits: BodyLimits): Promise<JsonBody> {
  checkContentType(c.req.header('content-type'))
  const bytes = await readBytes(c, limits)
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

async function readBytes(c: Context, limits: BodyLimits): Promise<Uint8Array> {
  const declared = Number(c.req.header('content-length') ?? 0)
  if (declared > limits.bytesMax) throw tooLarge(limits.bytesMax)
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming
  // Without the listener (`app.request()`), the body is in memory already.
  if (incoming === undefined) {
    const bytes = new Uint8Array(await c.req.arrayBuffer())
    if (bytes.length > limits.bytesMax) throw tooLarge(limits.bytesMax)
    return bytes
  }
  return readIncoming(incoming, limits)
}

function readIncoming(incoming: IncomingMessage, { bytesMax, budget }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Copied together: thousands of tiny chunks would each keep a Buffer object a hundred times their size.
    let held = Buffer.alloc(0)
    let length = 0
    const stop = () => {
      budget.bytes -= held.length
      incoming.off('data', onData)
      incoming.off('end', onEnd)
      incoming.off('close', onClose)
      incoming.off('error', onClose)
    }
    const refuse = (error: AppError) => {
      stop()
      incoming.pause()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      if (length + chunk.length > bytesMax) return refuse(tooLarge(bytesMax))
      if (length + chunk.length > held.length) {
        const grown = Math.max(chunk.length, Math.min(2 * held.length, bytesMax), length + chunk.length)
        if (budget.bytes + grown - held.length > HTTP_LIMITS.bodyBytesInFlightMax) return refuse(overloaded())
        budget.bytes += grown - held.length
        const larger = Buffer.allocUnsafe(grown)
        held.copy(larger, 0, 0, length)
        held = larger
      }
      length += chunk.copy(held, length)
    }
    const onEnd = () => {
      stop()
      resolve(held.subarray(0, length))
    }
    const onClose = () => {
      stop()
      reject(new AppError('malformed-request', 'The body ended before it was complete.'))
    }
    if (incoming.destroyed && !incoming.readableEnded) return onClose()
    incoming.on('data', onData)
    incoming.on('end', onEnd)
    incoming.on('close', onClose)
    incoming.on('error', onClose)
  })
}

const overloaded = () => new AppError('overloaded', 'Too many bodies are being read.', { retryAfterSeconds: 1 })
const tooLarge = (bytesMax: number) => new AppError('body-too-large', `The body is larger than ${bytesMax} bytes.`)
