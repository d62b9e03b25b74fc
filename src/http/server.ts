import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '../platform/errors.js'
import { PROBLEMS } from '../platform/problem-catalogue.js'
import { HTTP_LIMITS } from './limits.js'
import { problemBody, problemHeaders } from './problem.js'

export type HttpServer = {
  readonly url: string
  readonly port: number
  /** Stops accepting, lets what is under way finish for at most `drainMsMax`, then cuts what is left. */
  drain(drainMsMax: number): Promise<void>
}

/** Listens. Rejects where the address is taken. */
export async function listen(listener: RequestListener, host: string, port: number): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: HTTP_LIMITS.headersBytesMax,
      headersTimeout: HTTP_LIMITS.headersMsMax,
      requestTimeout: HTTP_LIMITS.requestMsMax,
      keepAliveTimeout: HTTP_LIMITS.keepAliveMs,
      noDelay: true,
      // Node refuses a missing Host with an empty answer; the listener does it with a problem.
      requireHostHeader: false,
    },
    listener,
  )
  server.maxConnections = HTTP_LIMITS.connectionsMax
  // Node answers an unknown expectation with an empty 417; ignoring it is as good (RFC 9110, 10.1.1).
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  refuseUnparsed(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { url: `http://${name}:${address.port}`, port: address.port, drain: (msMax) => drain(server, msMax) }
}

async function drain(server: Server, drainMsMax: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that is busy now becomes idle when its answer is out: it has to be closed then.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => server.closeAllConnections(), drainMsMax)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

/**
 * What Node cannot parse is refused once, and after the answers that are still due on its connection: anything written
 * before those would be taken for one of them.
 */
function refuseUnparsed(server: Server): void {
  const latest = new WeakMap<Duplex, ServerResponse>()
  const pipelined = new WeakSet<Duplex>()
  const refused = new WeakSet<Duplex>()
  server.prependListener('request', (incoming, outgoing) => {
    if (latest.get(incoming.socket)?.closed === false) pipelined.add(incoming.socket)
    latest.set(incoming.socket, outgoing)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const due = latest.get(socket)
    const inBody = due?.closed === false && !due.req.complete
    const isAnswered = socket.writableEnded
    if (error.code === 'ECONNRESET' || isAnswered || (inBody && pipelined.has(socket))) return void socket.destroy()
    if (refused.has(socket)) return
    refused.add(socket)
    if (due?.closed === false && !inBody)
      return void due.once('close', () => answerUnparsed(error, socket, randomUUID()))
    answerUnparsed(error, socket, inBody ? String(due.getHeader('X-Request-Id')) : randomUUID())
    // The rest of the body is not waited for: its reader learns from the closed connection that there is none.
    if (inBody) socket.once('finish', () => socket.destroy())
  })
}

/** The answer is a problem, with the manners of every other one. */
function answerUnparsed(error: NodeJS.ErrnoException, socket: Duplex, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  const detail =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? `The request's headers are larger than ${HTTP_LIMITS.headersBytesMax} bytes.`
      : 'The request is not well-formed HTTP/1.1, or did not arrive in time.'
  const problem = new AppError('malformed-request', detail)
  const body = JSON.stringify(problemBody(problem, requestId))
  const headers = Object.entries({
    ...problemHeaders(problem),
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  })
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${PROBLEMS['malformed-request'].status} Bad Request\r\n${head}\r\n${body}`)
}
