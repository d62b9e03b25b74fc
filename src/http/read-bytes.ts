import type { IncomingMessage } from 'node:http'
import { expireAfter } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { type BodyBudget, createServiceBudget } from './body-budget.js'
import type { ContentCoding } from './body-kinds.js'
import { explainInflate, inflate } from './inflate.js'
import { HTTP_LIMITS } from './limits.js'
import { type RequestContext, whenOver } from './request-context.js'
import { createTurns, type Turns } from './turns.js'

export type BodyLimits = {
  readonly bytesMax: number
  /** How long a body may take to arrive. */
  readonly msMax: number
  readonly budget: BodyBudget
  readonly turns: Turns
}

const NOTHING = Buffer.alloc(0)

/** The limits of a service whose bodies are at most this large. */
export function createBodyLimits(bytesMax: number): BodyLimits {
  const { bodyMsMax, largeBytesAtOnceMax, largeStepBytesMax, largeWaitMsMax } = HTTP_LIMITS
  const turns = createTurns({
    ...{ bytesMax: largeBytesAtOnceMax, stepBytesMax: largeStepBytesMax, waitMsMax: largeWaitMsMax },
  })
  return { bytesMax, msMax: bodyMsMax, budget: createServiceBudget(bytesMax), turns }
}

/** Whose body it is, and how it is coded. */
export type BodySource = { readonly isPublic: boolean; readonly coding: ContentCoding }

/**
 * The whole body of a request, whose bytes count against the budget until the request is over: what was read is held by
 * its handler. The bytes of a compressed one are those that it unfolds to. Throws `body-too-large`, `request-timeout` for
 * a body that does not arrive in time, `overloaded` if the budget has no room for it or its turn does not come, and `malformed-request` for one
 * that ends too early.
 */
export function readBytes(
  incoming: IncomingMessage,
  context: RequestContext,
  { bytesMax, msMax, budget, turns }: BodyLimits,
  { isPublic, coding }: BodySource,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const account = budget.open(isPublic, context.address)
    const source = coding === 'gzip' ? inflate(incoming, bytesMax, () => tooLarge(bytesMax)) : incoming
    // Copied together: thousands of tiny chunks would each keep a Buffer object a hundred times their size.
    let buffer = NOTHING
    let length = 0
    const announced = source === incoming ? Number(incoming.headers['content-length'] ?? bytesMax) : bytesMax
    let isSettled = false
    const refuse = (fault: () => AppError) => {
      if (isSettled) return
      isSettled = true
      cancelWait()
      buffer = NOTHING
      account.close()
      if (source !== incoming) source.destroy()
      incoming.pause()
      reject(fault())
    }
    const onData = (chunk: Buffer) => {
      if (isSettled) return
      if (length + chunk.length > bytesMax) return refuse(() => tooLarge(bytesMax))
      if (length + chunk.length > buffer.length) {
        const grown = Math.max(Math.min(2 * buffer.length, announced, bytesMax), length + chunk.length)
        if (!account.hold(grown)) return refuse(overloaded)
        const larger = Buffer.allocUnsafe(grown)
        buffer.copy(larger, 0, 0, length)
        buffer = larger
      }
      length += chunk.copy(buffer, length)
    }
    const onEnd = () => {
      if (isSettled) return
      isSettled = true
      cancelWait()
      // What grew beyond a length that was not announced: a part of it would keep all of it.
      const body = buffer.length === length ? buffer : Buffer.from(buffer.subarray(0, length))
      buffer = NOTHING
      account.hold(length)
      resolve(length > HTTP_LIMITS.largeBodyBytes ? turns.take(length, context).then(() => body) : body)
    }
    const onOver = () => refuse(cutShort)
    // What is inflated ends later than what came.
    const onClose = () => void (incoming.readableEnded || onOver())
    const cancelWait = expireAfter(msMax, () => refuse(() => tooSlow(msMax)))
    // They stay: a request is not used again, and taking them off one by one costs more than a look at `isSettled`.
    source.on('data', onData).on('end', onEnd)
    incoming.on('close', onClose).on('error', onOver)
    if (source !== incoming) source.on('error', (error) => refuse(() => explainInflate(error)))
    // Not every way out closes `incoming`: one that was answered early stays open when its connection goes.
    whenOver(context, () => {
      onOver()
      account.close()
    })
    if (incoming.destroyed) onClose()
  })
}

export const tooLarge = (bytesMax: number) =>
  new AppError('body-too-large', `The body is larger than ${bytesMax} bytes.`)
const cutShort = () => new AppError('malformed-request', 'The body ended before it was complete.')
const tooSlow = (msMax: number) => new AppError('request-timeout', `The body did not arrive within ${msMax / 1000} s.`)
const overloaded = () => new AppError('overloaded', 'Too many bodies are being read.', { retryAfterSeconds: 1 })
