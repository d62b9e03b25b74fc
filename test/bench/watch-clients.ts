/** Clients that follow changes, in a process of their own: raw sockets, since 10,000 of any client library cost more. */
import { connect, type Socket } from 'node:net'

export type WatchOrder =
  | {
      readonly kind: 'open'
      readonly url: string
      readonly key: string
      /** How many event streams, and how many requests that wait and are asked again. */
      readonly streams: number
      readonly polls: number
    }
  /** Binds an alias and waits until every client of the key heard of it. */
  | { readonly kind: 'change'; readonly url: string; readonly key: string; readonly round: number }
/** Of a change: milliseconds from the begin of the write to each client's hearing of it. */
export type WatchResult = { readonly milliseconds: readonly number[]; readonly writeMs: number }

type Client = { readonly isPoll: boolean; readonly socket: Socket; heardAt: number; text: string; ready: () => void }

const OPENED_AT_ONCE = 50
const HEAR_MS_MAX = 20_000
const clients = new Map<string, Client[]>()

process.on('message', (order: WatchOrder) => {
  const run = order.kind === 'open' ? open(order) : change(order)
  run.then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})

async function open({ url, key, streams, polls }: Extract<WatchOrder, { kind: 'open' }>): Promise<WatchResult> {
  const mine = clients.get(key) ?? []
  clients.set(key, mine)
  const wanted = [...Array<boolean>(streams).fill(false), ...Array<boolean>(polls).fill(true)]
  const begun = performance.now()
  for (let index = 0; index < wanted.length; index += OPENED_AT_ONCE) {
    const some = wanted.slice(index, index + OPENED_AT_ONCE)
    mine.push(...(await Promise.all(some.map((isPoll) => openOne(new URL(url), key, isPoll)))))
  }
  return { milliseconds: [], writeMs: performance.now() - begun }
}

function openOne({ hostname, port }: URL, key: string, isPoll: boolean): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const client: Client = { isPoll, socket, heardAt: 0, text: '', ready: () => resolve(client) }
    socket.setEncoding('latin1')
    socket.on('connect', () => ask(client, key, isPoll ? 'since=1&wait=60' : 'since=1'))
    socket.on('data', (text) => hear(client, key, String(text)))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('a connection was closed')))
    // One that waits says nothing until there is something.
    if (isPoll) socket.on('connect', () => setTimeout(client.ready, 50))
  })
}

function ask({ socket, isPoll }: Client, key: string, query: string): void {
  const accept = isPoll ? 'application/json' : 'text/event-stream'
  socket.write(`GET /api/v1/sync?${query} HTTP/1.1\r\nHost: a\r\nX-Project-Key: ${key}\r\nAccept: ${accept}\r\n\r\n`)
}

function hear(client: Client, key: string, text: string): void {
  client.text += text
  if (!client.isPoll) {
    if (!client.text.endsWith('\n\n\r\n')) return
    if (client.text.includes('data: ')) {
      client.heardAt = performance.now()
      client.ready()
    }
    client.text = ''
    return
  }
  const revision = /"revision":(\d+),.*\]\}$/.exec(client.text)?.[1]
  if (revision === undefined) return
  if (!client.text.includes('"changes":[]')) client.heardAt = performance.now()
  client.text = ''
  ask(client, key, `since=${revision}&wait=60`)
}

async function change({ url, key, round }: Extract<WatchOrder, { kind: 'change' }>): Promise<WatchResult> {
  const mine = clients.get(key) ?? []
  for (const client of mine) client.heardAt = 0
  const begun = performance.now()
  const headers = { 'X-Project-Key': key, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ alias: 'summarizer', model: `openai:model-${round}` })
  const response = await fetch(`${url}/api/v1/aliases/bind`, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(await response.text())
  const writeMs = performance.now() - begun
  while (mine.some(({ heardAt }) => heardAt === 0)) {
    if (performance.now() - begun > HEAR_MS_MAX) throw new Error('some clients heard nothing')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { milliseconds: mine.map(({ heardAt }) => heardAt - begun), writeMs }
}
