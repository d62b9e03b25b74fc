import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { eventually } from './eventually.js'

type ReceivedEvent = { readonly id: string; readonly data: Delta }
export type Delta = {
  readonly epoch: string
  readonly revision: number
  readonly profile: string | null
  readonly reset: boolean
  readonly more?: boolean
  readonly changes: readonly AliasChange[]
}
export type AliasChange = {
  readonly revision: number
  readonly op: 'upsert' | 'delete'
  readonly alias: string
  readonly profile: string
  readonly models: readonly string[]
  readonly constraints: unknown
  readonly metadata: unknown
}

/** A reader of server-sent events, as far as this service writes them. */
export type EventReader = {
  readonly status: number
  readonly events: readonly ReceivedEvent[]
  /** Everything that came, comments too. */
  readonly text: () => string
  readonly isOver: () => boolean
  /** Waits for so many events, and gives them. */
  received(count: number): Promise<readonly ReceivedEvent[]>
  pause(): void
  resume(): void
  close(): void
}

/** Resolves when the head of the response is here. */
export function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { Accept: 'text/event-stream', ...headers }, agent: false })
    request.once('error', reject)
    request.once('response', (response) => resolve(readerOf(request, response)))
  })
}

function readerOf(request: ClientRequest, response: IncomingMessage): EventReader {
  const events: ReceivedEvent[] = []
  let all = ''
  let rest = ''
  let isOver = false
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    all += text
    rest += text
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const event = parseEvent(rest.slice(0, end))
      if (event !== undefined) events.push(event)
      rest = rest.slice(end + 2)
    }
  })
  const end = () => {
    isOver = true
  }
  for (const name of ['error', 'close']) {
    response.on(name, end)
    request.on(name, end)
  }
  return {
    status: response.statusCode ?? 0,
    events,
    text: () => all,
    isOver: () => isOver,
    received: (count) =>
      eventually(() => {
        if (events.length < count) throw new Error(`${events.length} of ${count} events: ${all.slice(-500)}`)
        return events
      }),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void request.destroy(),
  }
}

function parseEvent(text: string): ReceivedEvent | undefined {
  const members = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  const data = members.get('data')
  return data === undefined ? undefined : { id: members.get('id') ?? '', data: JSON.parse(data) as Delta }
}
