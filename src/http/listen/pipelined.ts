import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What Node's server keeps on a connection: it is called with each head, and what it returns goes to the parser. */
type WithParser = { readonly parser?: { onIncoming?: TakeHead | null } | null }
type TakeHead = (incoming: IncomingMessage, shouldKeepAlive: boolean) => unknown

/** To the parser, that the head could not be taken: nothing behind it is parsed. */
const ENDS_PARSING = -1

/**
 * Bounds the requests that wait on a connection behind another one, and says of a connection whether it sent more. Node
 * takes 2,300 small ones out of one read of 64 KiB before anything else has its turn, goes on when their connection is
 * destroyed, and reads a thousand connections in a row: 60 MB from one address held the event loop for 20 s. So parsing
 * ends at the first that is too many, and once the connection is gone. Without the parser that is looked for, nothing is bounded.
 */
export function boundPipelined(server: Server, pipelinedMax: number): (socket: Duplex) => boolean {
  const waiting = new WeakMap<Duplex, number>()
  const overfull = new WeakSet<Duplex>()
  const count = (socket: Duplex, by: 1 | -1) => waiting.set(socket, (waiting.get(socket) ?? 0) + by)

  server.on('connection', (socket: Socket) => {
    const { parser } = socket as WithParser
    const take = parser?.onIncoming
    if (parser === undefined || parser === null || typeof take !== 'function') return
    parser.onIncoming = (incoming, shouldKeepAlive) => {
      if (socket.destroyed) return ENDS_PARSING
      if ((waiting.get(socket) ?? 0) < pipelinedMax) return take(incoming, shouldKeepAlive)
      overfull.add(socket)
      return ENDS_PARSING
    }
  })
  server.prependListener('request', ({ socket }, outgoing) => {
    // Node gives a response its socket when its turn comes.
    if (outgoing.socket !== null) return
    count(socket, 1)
    outgoing.once('socket', () => count(socket, -1))
  })
  return (socket) => overfull.has(socket)
}
