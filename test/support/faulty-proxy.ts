import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type FaultyProxy = {
  readonly port: number
  /** Breaks connections with a reset, most of them in the middle of the next answer. New ones work. */
  reset(): void
  /** Ends our half of connections, most of them in the middle of the next answer, and reads on. New ones work. */
  halfClose(): void
  /**
   * Takes everything and passes nothing on, on old and new connections. Those stay dead even after `heal`: only that one
   * side closed them is passed on then.
   */
  swallow(): void
  /** Accepts new connections and closes them at once, and the old ones with them, until `heal`. */
  acceptAndClose(): void
  /** New connections work again. */
  heal(): void
  close(): Promise<void>
}

type Wound = 'reset' | 'half-close'
type Pair = {
  readonly client: Socket
  readonly server: Socket
  wound: Wound | undefined
  /** Nothing gets through, for good. */
  dead: boolean
  /** One side is gone and the other does not know. */
  gone: boolean
}
type Mode = 'pass' | 'swallow' | 'accept and close'

/** How many connections of ten are broken in the middle of an answer rather than at once. */
const IN_THE_MIDDLE = 0.7
/** A peer that closed its half stays that long before it is gone. */
const HALF_CLOSED_MS = 300

/** A loopback proxy in front of `port` that does what broken networks and bad middleboxes do. */
export async function startFaultyProxy(port: number): Promise<FaultyProxy> {
  const pairs = new Set<Pair>()
  let mode: Mode = 'pass'
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined)
    if (mode === 'accept and close') return void client.end(() => client.destroy())
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const pair: Pair = { client, server, wound: undefined, dead: mode === 'swallow', gone: false }
    pairs.add(pair)
    join(pair)
    for (const socket of [client, server]) {
      for (const event of ['end', 'close']) socket.on(event, () => end(pair, event))
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const end = (pair: Pair, event: string) => {
    pair.gone = true
    if (mode === 'swallow') return
    if (event === 'end' && !pair.dead) {
      // One side has said all it had to say: so does the proxy, after what it still holds.
      pair.client.end()
      pair.server.end()
      return
    }
    drop(pair)
  }
  const drop = (pair: Pair) => {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }
  const hurt = (wound: Wound) => {
    for (const pair of pairs) {
      if (Math.random() < IN_THE_MIDDLE) pair.wound = wound
      else strike(pair, wound)
    }
  }
  return {
    port: (listener.address() as AddressInfo).port,
    reset: () => hurt('reset'),
    halfClose: () => hurt('half-close'),
    swallow: () => {
      mode = 'swallow'
      for (const pair of pairs) pair.dead = true
    },
    acceptAndClose: () => {
      mode = 'accept and close'
      for (const pair of pairs) strike(pair, 'half-close')
    },
    heal: () => {
      mode = 'pass'
      for (const pair of pairs) if (pair.dead && pair.gone) drop(pair)
    },
    close: async () => {
      for (const pair of pairs) drop(pair)
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function join(pair: Pair): void {
  const { client, server } = pair
  client.on('data', (chunk) => {
    if (!pair.dead) server.write(chunk)
  })
  server.on('data', (chunk) => {
    if (pair.dead) return
    const { wound } = pair
    if (wound === undefined) return void (client.writable && client.write(chunk))
    pair.wound = undefined
    client.write(chunk.subarray(0, Math.max(1, Math.floor(chunk.length * Math.random()))), () => strike(pair, wound))
  })
  server.on('error', () => undefined)
}

function strike({ client, server }: Pair, wound: Wound): void {
  if (wound === 'reset') {
    client.resetAndDestroy()
    server.destroy()
    return
  }
  client.end()
  setTimeout(() => client.destroy(), HALF_CLOSED_MS).unref()
}
