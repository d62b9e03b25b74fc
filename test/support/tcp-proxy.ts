import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type TcpProxy = {
  readonly port: number
  /** Connections stay open and nothing gets through any more: what a lost network looks like to both ends. */
  freeze(): void
  /** New connections work again; frozen ones stay frozen. */
  thaw(): void
  /** Breaks every connection and refuses new ones. */
  cut(): void
  restore(): void
  /** How many bytes came from the target. */
  readonly bytesDown: () => number
  /** How often the target was sent something after it had answered, on any connection. */
  readonly roundTrips: () => number
  close(): Promise<void>
}

/** A loopback TCP proxy in front of `target`, for making the network fail. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let frozen = false
  let refusing = false
  let bytesDown = 0
  let roundTrips = 0
  const server = createServer((downstream) => {
    if (refusing) return void downstream.destroy()
    const upstream = connect(target.port, target.host)
    let lastFrom = upstream
    for (const [from, to] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      sockets.add(from)
      let mine = frozen
      from.on('data', (chunk) => {
        mine ||= frozen
        if (from === upstream) bytesDown += chunk.length
        else if (lastFrom === upstream) roundTrips += 1
        lastFrom = from
        if (!mine) to.write(chunk)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        if (!frozen) to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      frozen = false
    },
    cut: () => {
      refusing = true
      cutAll()
    },
    restore: () => {
      refusing = false
    },
    bytesDown: () => bytesDown,
    roundTrips: () => roundTrips,
    close: async () => {
      frozen = false
      cutAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The URL of a database as it is reached through the proxy. */
export function throughProxy(url: string, proxy: TcpProxy): string {
  const changed = new URL(url)
  changed.hostname = '127.0.0.1'
  changed.port = String(proxy.port)
  return changed.href
}
