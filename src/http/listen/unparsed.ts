import { randomUUID } from 'node:crypto'
import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '../../platform/errors.js'
import { PROBLEMS, type ProblemCode } from '../../platform/problem-catalogue.js'
import { HTTP_LIMITS } from '../limits.js'
import { problemBody, problemHeaders } from '../problem.js'

const STATUS_LINES = { 400: '400 Bad Request', 408: '408 Request Timeout', 503: '503 Service Unavailable' } as const

/**
 * Hears of each refusal, but not of a request that was parsed and whose body was not: it is counted as that request.
 */
export type ReportUnparsed = (refusal: {
  readonly requestId: string
  readonly code: ProblemCode
  readonly address: string
}) => void

export type UnparsedOptions = {
  readonly lingerMsMax: number
  /** The response to the last request of a connection. */
  readonly latest: (socket: Duplex) => ServerResponse | undefined
  /** Whether it sent more requests than may wait: the one that was not parsed is one of them. */
  readonly isOverfull: (socket: Duplex) => boolean
  readonly report?: ReportUnparsed | undefined
}

/**
 * What Node cannot parse is refused once, and after the responses that are still due on its connection: anything
 * written before those would be taken for one of them. Then the connection is closed, whether its peer answers or not;
 * one that never sent a byte is closed without a word.
 */
export function refuseUnparsed(
  server: Server,
  { lingerMsMax, latest, isOverfull, report = () => undefined }: UnparsedOptions,
) {
  const pipelined = new WeakSet<Duplex>()
  const refused = new WeakSet<Duplex>()
  server.prependListener('request', (incoming) => {
    if (latest(incoming.socket)?.closed === false) pipelined.add(incoming.socket)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const due = latest(socket)
    const inBody = due?.closed === false && !due.req.complete
    const isAnswered = socket.writableEnded
    const isSilent = (socket as Socket).bytesRead === 0
    // Its response is out: another one would be taken for that of the next request.
    const isOver = due?.closed === true && !due.req.complete
    if (error.code === 'ECONNRESET' || isAnswered || isSilent || isOver || (inBody && pipelined.has(socket))) {
      return void socket.destroy()
    }
    if (refused.has(socket)) return
    refused.add(socket)
    // Its request was refused before its body was read: one response is enough.
    if (inBody && due.writableEnded) return destroyAfter(socket, lingerMsMax)
    // Read now: a connection that is closed has none.
    const address = (socket as Socket).remoteAddress ?? ''
    const refuse = (requestId: string) => {
      const problem = isOverfull(socket) ? overfull() : problemOf(error)
      answerUnparsed(problem, socket, requestId)
      if (!inBody) report({ requestId, code: problem.code, address })
      destroyAfter(socket, lingerMsMax)
    }
    if (due?.closed === false && !inBody) return void due.once('close', () => refuse(randomUUID()))
    refuse(inBody ? String(due.getHeader('X-Request-Id')) : randomUUID())
    // The rest of the body is not waited for: its reader learns from the closed connection that there is none.
    if (inBody) socket.once('finish', () => socket.destroy())
  })
}

/** A half-closed connection waits for its peer for ever; closing it at once could take the response back. */
function destroyAfter(socket: Duplex, msMax: number): void {
  const timer = setTimeout(() => socket.destroy(), msMax)
  socket.once('close', () => clearTimeout(timer))
}

/** The response is a problem, with the manners of every other one. */
function answerUnparsed(problem: AppError, socket: Duplex, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  const { status } = PROBLEMS[problem.code]
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = Object.entries({
    ...problemHeaders(problem),
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  })
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${STATUS_LINES[status as keyof typeof STATUS_LINES]}\r\n${head}\r\n${body}`)
}

const overfull = () =>
  new AppError('overloaded', 'Too many requests wait on this connection for their turn.', { retryAfterSeconds: 1 })

function problemOf({ code }: NodeJS.ErrnoException): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('request-timeout', 'The request did not arrive in time.')
  }
  const detail =
    code === 'HPE_HEADER_OVERFLOW'
      ? `The request's headers are larger than ${HTTP_LIMITS.headersBytesMax} bytes.`
      : 'The request is not well-formed HTTP/1.1.'
  return new AppError('malformed-request', detail)
}
