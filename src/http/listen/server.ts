import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HTTP_LIMITS } from '../limits.js'
import { heedHalfClosed } from '../request-context.js'
import { BreakableResponse } from '../stream/breakable-response.js'
import { type Connections, createConnections } from './connections.js'
import { boundPipelined } from './pipelined.js'
import { type ReportUnparsed, refuseUnparsed } from './unparsed.js'
import { createUnread, type Unread, type UnreadLimits } from './unread.js'

export type HttpServer = {
  readonly url: string
  readonly port: number
  /** How many connections are open. */
  readonly connections: () => number
  /** The bytes of responses that their readers have not taken. */
  readonly unreadBytes: () => number
  /** Stops accepting, lets what is under way finish for at most `drainMsMax`, then cuts what is left. */
  drain(drainMsMax: number): Promise<void>
}

export type ServerLimits = {
  readonly connectionsMax: number
  /** Of one address; infinite if the addresses are those of proxies. */
  readonly connectionsPerAddressMax: number
  readonly pipelinedMax: number
  readonly headersMsMax: number
  readonly requestMsMax: number
  readonly idleMsMax: number
  readonly lingerMsMax: number
  readonly checkMs: number
  readonly unreadCheckMs: number
  readonly halfClosedMsMax: number
} & UnreadLimits

/** Answers requests, and hears of what was refused before it was one. */
export type ServiceListener = RequestListener & {
  readonly reportUnparsed?: ReportUnparsed
  /** Is told where to ask what responses hold in memory. */
  readonly heedUnread?: ((unread: Unread) => void) | undefined
}

/** Listens. Rejects if the address is taken. `limits` are HTTP_LIMITS unless they say otherwise. */
export async function listen(
  listener: ServiceListener,
  host: string,
  port: number,
  limits: Partial<ServerLimits> = {},
): Promise<HttpServer> {
  const all = { ...HTTP_LIMITS, ...limits }
  const server = createServer(
    {
      maxHeaderSize: HTTP_LIMITS.headersBytesMax,
      headersTimeout: all.headersMsMax,
      requestTimeout: all.requestMsMax,
      connectionsCheckingInterval: all.checkMs,
      keepAliveTimeout: HTTP_LIMITS.keepAliveMs,
      noDelay: true,
      ServerResponse: BreakableResponse,
      // Node refuses a missing Host with an empty response; the listener does it with a problem.
      requireHostHeader: false,
    },
    listener,
  )
  // Neither side says anything: a reader that does not read would hold what it reads from for ever.
  server.timeout = all.idleMsMax
  Object.assign(server, { httpAllowHalfOpen: true })
  // Node answers an unknown expectation with an empty 417; ignoring it is as good (RFC 9110, 10.1.1).
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  const { connections, latest } = watchConnections(server, all, listener.reportUnparsed)
  const isShared = (reader: Pick<Socket, 'writableLength'>) => isEventStream(latest.get(reader as Socket))
  const unread = createUnread(connections.open, all, undefined, isShared)
  listener.heedUnread?.(unread)
  const looking = setInterval(unread.check, all.unreadCheckMs).unref()
  server.once('close', () => clearInterval(looking))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    connections: () => connections.open.size,
    unreadBytes: unread.bytes,
    drain: (msMax) => {
      for (const socket of connections.open) announceClose(latest.get(socket))
      return drain(server, connections.open, msMax)
    },
  }
}

type Watched = {
  readonly connections: Connections
  /** The response to the last request of a connection. */
  readonly latest: Pick<WeakMap<Duplex, ServerResponse>, 'get'>
}

function watchConnections(server: Server, limits: ServerLimits, report?: ReportUnparsed): Watched {
  const latest = new WeakMap<Duplex, ServerResponse>()
  const connections = createConnections({
    totalMax: limits.connectionsMax,
    perAddressMax: limits.connectionsPerAddressMax,
    isBusy: (socket) => latest.get(socket)?.closed === false,
  })
  server.on('connection', connections.add)
  server.on('connection', (socket) => {
    awaitHalfClosed(socket, limits.halfClosedMsMax)
    socket.once('end', () => {
      const response = latest.get(socket)
      if (response?.headersSent === false) heedHalfClosed(response.req)
    })
  })
  server.prependListener('request', (incoming, outgoing) => {
    latest.set(incoming.socket, outgoing)
    connections.use(incoming.socket)
    if (!server.listening) announceClose(outgoing)
  })
  // Prepends its own listener: it has to see what was latest before this request.
  const isOverfull = boundPipelined(server, limits.pipelinedMax)
  refuseUnparsed(server, {
    lingerMsMax: limits.lingerMsMax,
    latest: (socket) => latest.get(socket),
    isOverfull,
    report,
  })
  return { connections, latest }
}

/**
 * A client may end its own side after its request and still read the response (RFC 9112, 9.6); one that is gone looks
 * the same until it is written to. So it is waited for only while something goes out to it, or will soon.
 */
function awaitHalfClosed(socket: Socket, msMax: number): void {
  socket.once('end', () => {
    let { bytesWritten } = socket
    const look = () => {
      if (socket.bytesWritten === bytesWritten) socket.destroy()
      bytesWritten = socket.bytesWritten
    }
    const looking = setInterval(look, msMax)
    socket.once('close', () => clearInterval(looking))
  })
}

/** `Connection: close`: a client that was not told could send its next request just as the connection is closed. */
function announceClose(response: ServerResponse | undefined): void {
  if (response !== undefined && !response.headersSent) response.shouldKeepAlive = false
}

/** The bytes of its events are those of all who are told the same, and it cuts readers that do not take them. */
const isEventStream = (response: ServerResponse | undefined): boolean =>
  response?.getHeader('content-type') === 'text/event-stream'

/** Those that never sent a byte. */
function closeSilent(open: ReadonlySet<Socket>): void {
  for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
}

async function drain(server: Server, open: ReadonlySet<Socket>, drainMsMax: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that is busy now becomes idle when its response is out: it has to be closed then.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const hush = setTimeout(() => closeSilent(open), HTTP_LIMITS.drainSilentMsMax)
  const cut = setTimeout(() => server.closeAllConnections(), drainMsMax)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(hush)
  clearTimeout(cut)
}
