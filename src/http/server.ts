import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
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
    },
    listener,
  )
  server.maxConnections = HTTP_LIMITS.connectionsMax
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerUnparsed(error, socket))
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

/** A request that Node could not parse gets a problem, too. */
function answerUnparsed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const detail =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? `The request's headers are larger than ${HTTP_LIMITS.headersBytesMax} bytes.`
      : 'The request is not well-formed HTTP/1.1, or did not arrive in time.'
  const problem = new AppError('malformed-request', detail)
  const body = JSON.stringify(problemBody(problem, 'none'))
  const headers = Object.entries({
    ...problemHeaders(problem),
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  })
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${PROBLEMS['malformed-request'].status} Bad Request\r\n${head}\r\n${body}`)
}
