import type { IncomingMessage } from 'node:http'
import { expireAfter } from '../../platform/deadline.js'
import { AppError } from '../../platform/errors.js'
import { HTTP_LIMITS } from '../limits.js'
import { type RequestContext, whenHandled } from '../request-context.js'
import { createTurns, type Turns } from '../turns.js'
import { type BodyAccount, type BodyBudget, createServiceBudget, type Weigh } from './body-budget.js'
import type { ContentCoding } from './body-kinds.js'
import { explainInflate, inflate } from './inflate.js'

export type BodyLimits = {
  readonly bytesMax: number
  /** How long a body may take to arrive. */
  readonly msMax: number
  readonly budget: BodyBudget
  readonly turns: Turns
}

const NOTHING = Buffer.alloc(0)

/** The limits of a service whose bodies are at most this large. */
export function createBodyLimits(bytesMax: number, weigh?: Weigh): BodyLimits {
  const { bodyMsMax, largeBytesAtOnceMax, largeStepBytesMax, largeWaitMsMax } = HTTP_LIMITS
  const limits = { bytesMax: largeBytesAtOnceMax, stepBytesMax: largeStepBytesMax, waitMsMax: largeWaitMsMax }
  const turns = createTurns(limits)
  return { bytesMax, msMax: bodyMsMax, budget: createServiceBudget(bytesMax, weigh), turns }
}

/** Whose body it is, and how it is coded. */
export type BodySource = { readonly isPublic: boolean; readonly coding: ContentCoding }

/**
 * The whole body of a request, whose bytes count against the budget until its handler is done. The bytes of a
 * compressed one are those that it unfolds to. Throws `body-too-large`, `request-timeout` for a body that does not
 * arrive in time, `overloaded` if the budget has no room for it or its turn does not come, and `malformed-request` for
 * one that ends too early.
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
    const announced = source === incoming ? Number(incoming.headers['content-length'] ?? bytesMax) : bytesMax
    const body: ArrivingBody = { buffer: NOTHING, length: 0, bytesMax, announced, account }
    const settlement = settleOnce({ resolve, reject })
    const refuse = (fault: () => AppError) => {
      const own = settlement.take()
      if (own === undefined) return
      cancelWait()
      drop(body)
      if (source !== incoming) source.destroy()
      incoming.pause()
      own.reject(fault())
    }
    const onData = (chunk: Buffer) => {
      const fault = settlement.isTaken() ? undefined : append(body, chunk)
      if (fault !== undefined) refuse(fault)
    }
    const onEnd = () => {
      const own = settlement.take()
      if (own === undefined) return
      cancelWait()
      own.resolve(inTurn(takeWhole(body), turns, context))
    }
    const onOver = () => refuse(cutShort)
    // What is inflated ends later than what came.
    const onClose = () => void (incoming.readableEnded || onOver())
    const cancelWait = expireAfter(msMax, () => refuse(() => tooSlow(msMax)))
    // They stay: a request is not used again, and taking them off one by one costs more than a look at `isTaken`.
    source.on('data', onData).on('end', onEnd)
    incoming.on('close', onClose).on('error', onOver)
    if (source !== incoming) source.on('error', (error) => refuse(() => explainInflate(error)))
    // Not every way out closes `incoming`: one that was answered early stays open when its connection goes.
    whenHandled(context, () => {
      onOver()
      account.close()
    })
    if (incoming.destroyed) onClose()
  })
}

type Settle = {
  readonly resolve: (bytes: Buffer | Promise<Buffer>) => void
  readonly reject: (fault: AppError) => void
}

/**
 * Gives the two ends of a promise once, and keeps nothing of them then. A connection that waits for its next request
 * keeps the last one with its handlers: through `resolve` they would keep the body, 4 MiB on each of thousands of
 * connections, which no account counts any more.
 */
function settleOnce(settle: Settle) {
  let left: Settle | undefined = settle
  const take = () => {
    const own = left
    left = undefined
    return own
  }
  return { take, isTaken: () => left === undefined }
}

function inTurn(bytes: Buffer, turns: Turns, context: RequestContext): Buffer | Promise<Buffer> {
  return bytes.length > HTTP_LIMITS.largeBodyBytes ? turns.take(bytes.length, context).then(() => bytes) : bytes
}

/**
 * What came of a body, in one buffer: thousands of tiny chunks would each keep a Buffer object a hundred times their
 * size.
 */
type ArrivingBody = {
  /** Its first `length` bytes are the body; it grows by doubling, up to what was announced. */
  buffer: Buffer
  length: number
  readonly bytesMax: number
  readonly announced: number
  readonly account: BodyAccount
}

/** Adds what came next. Returns the fault, and adds nothing, if the body is too large or the budget has no room. */
function append(body: ArrivingBody, chunk: Buffer): (() => AppError) | undefined {
  const { buffer, bytesMax } = body
  const length = body.length + chunk.length
  if (length > bytesMax) return () => tooLarge(bytesMax)
  if (length > buffer.length) {
    const grown = Math.max(Math.min(2 * buffer.length, body.announced, bytesMax), length)
    if (!body.account.hold(grown)) return overloaded
    body.buffer = Buffer.allocUnsafe(grown)
    buffer.copy(body.buffer, 0, 0, body.length)
  }
  chunk.copy(body.buffer, body.length)
  body.length = length
  return undefined
}

/** The bytes of a body that is complete; the account goes on holding them. */
function takeWhole(body: ArrivingBody): Buffer {
  const { buffer, length } = body
  body.buffer = NOTHING
  body.account.hold(length)
  // What grew beyond a length that was not announced: a part of it would keep all of it.
  return buffer.length === length ? buffer : Buffer.from(buffer.subarray(0, length))
}

/** Gives back what a body held that is not read on. */
function drop(body: ArrivingBody): void {
  body.buffer = NOTHING
  body.account.close()
}

export const tooLarge = (bytesMax: number) =>
  new AppError('body-too-large', `The body is larger than ${bytesMax} bytes.`)
const cutShort = () => new AppError('malformed-request', 'The body ended before it was complete.')
const tooSlow = (msMax: number) => new AppError('request-timeout', `The body did not arrive within ${msMax / 1000} s.`)
const overloaded = () => new AppError('overloaded', 'Too many bodies are being read.', { retryAfterSeconds: 1 })
