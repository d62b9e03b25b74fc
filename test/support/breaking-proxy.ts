import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** `reset`: as a crash or a firewall does it. `finish`: an orderly end of one direction; the other ends a little later. */
type Break = 'reset' | 'finish'

export type BreakingProxy = {
  /** The database as it is reached through the proxy. */
  readonly url: string
  /** Breaks every connection now. */
  break(how: Break): void
  /** Sends a part of each connection's next answer, and breaks it there. */
  tear(how: Break): void
  /** New connections are served, or broken as soon as they are there. */
  admit(how: 'all' | Break): void
  /** While silent it takes every byte and passes none on. */
  silence(on: boolean): void
  close(): Promise<void>
}

const LINGER_MS = 100

/** A loopback TCP proxy before a database, for breaking connections in every way that they break in. */
export async function startBreakingProxy(databaseUrl: string): Promise<BreakingProxy> {
  const { hostname, port } = new URL(databaseUrl)
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; torn?: Break }>()
  let admitted: 'all' | Break = 'all'
  let silent = false

  const breakNow = (pair: { client: Socket; server: Socket }, how: Break) => {
    pair.server.destroy()
    if (how === 'reset') pair.client.resetAndDestroy()
    else {
      pair.client.end()
      setTimeout(() => pair.client.destroy(), LINGER_MS)
    }
  }

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined)
    if (admitted === 'reset') return void client.resetAndDestroy()
    if (admitted === 'finish') return void client.end(() => client.destroy())
    const server = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    const pair: { client: Socket; server: Socket; torn?: Break } = { client, server }
    pairs.add(pair)
    client.on('data', (bytes) => void (silent || server.write(bytes)))
    server.on('data', (bytes) => {
      if (silent) return
      if (pair.torn === undefined) return void client.write(bytes)
      const how = pair.torn
      client.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => breakNow(pair, how))
    })
    server.on('error', () => client.resetAndDestroy())
    client.on('end', () => server.end())
    server.on('end', () => client.end())
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('close', () => {
        pairs.delete(pair)
        setTimeout(() => other.destroy(), LINGER_MS)
      })
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((listener.address() as AddressInfo).port)
  return {
    url: url.href,
    break: (how) => {
      for (const pair of pairs) breakNow(pair, how)
    },
    tear: (how) => {
      for (const pair of pairs) pair.torn = how
    },
    admit: (how) => {
      admitted = how
    },
    silence: (on) => {
      silent = on
    },
    close: async () => {
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
