import type { Socket } from 'node:net'
import { networkOf } from '../address.js'

export type ConnectionsOptions = {
  readonly totalMax: number
  /** Of one address (or IPv6 /64); infinite where it is not counted. */
  readonly perAddressMax: number
  /** Whether a connection has a request that is not answered yet. */
  readonly isBusy: (socket: Socket) => boolean
}

export type Connections = {
  /**
   * Counts a new connection. If its address, or all together, hold as many as they may, the one that has been idle or
   * silent longest makes room for it; if all are busy, the new one is closed. So no number of silent connections
   * keeps a request out.
   */
  add(socket: Socket): void
  /** A request came: of the idle connections, this is now the last to go. */
  use(socket: Socket): void
  readonly open: ReadonlySet<Socket>
}

export function createConnections({ totalMax, perAddressMax, isBusy }: ConnectionsOptions): Connections {
  const open = createOpenSockets()

  const makeRoom = (among: ReadonlySet<Socket>): boolean => {
    for (const socket of among) {
      if (isBusy(socket)) continue
      open.remove(socket)
      socket.destroy()
      return true
    }
    return false
  }

  return {
    add: (socket) => {
      const network = networkOf(socket.remoteAddress ?? '')
      const peers = open.peersOf(network)
      const fits = (peers.size < perAddressMax || makeRoom(peers)) && (open.all.size < totalMax || makeRoom(open.all))
      if (!fits) {
        socket.destroy()
        return
      }
      open.add(socket, network)
      socket.once('close', () => open.remove(socket))
    },
    use: open.moveToEnd,
    open: open.all,
  }
}

/** The open sockets, all together and by network, each time in the order of their last use. */
function createOpenSockets() {
  // Sets keep the order in which their members came: the first is the one that was used least recently.
  const all = new Set<Socket>()
  const byNetwork = new Map<string, Set<Socket>>()
  const networks = new WeakMap<Socket, string>()

  const peersOf = (network: string): Set<Socket> => byNetwork.get(network) ?? new Set()

  return {
    all,
    peersOf,
    add: (socket: Socket, network: string): void => {
      networks.set(socket, network)
      all.add(socket)
      byNetwork.set(network, peersOf(network).add(socket))
    },
    remove: (socket: Socket): void => {
      const network = networks.get(socket) ?? ''
      const peers = peersOf(network)
      all.delete(socket)
      peers.delete(socket)
      if (peers.size === 0) byNetwork.delete(network)
    },
    /** Does nothing to one that is not open any more. */
    moveToEnd: (socket: Socket): void => {
      if (!all.delete(socket)) return
      all.add(socket)
      const peers = peersOf(networks.get(socket) ?? '')
      peers.delete(socket)
      peers.add(socket)
    },
  }
}
