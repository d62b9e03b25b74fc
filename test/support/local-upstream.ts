import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What came to an upstream. */
type Arrived = {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly json: Record<string, unknown>
  /** Of the connection, at its other end. */
  readonly port: number | undefined
}

export type Behaviour = (outgoing: ServerResponse, arrived: Arrived) => void | Promise<void>

export type LocalUpstream = {
  /** Without a slash at the end. */
  readonly url: string
  readonly arrived: Arrived[]
  /** Connections that are open now. */
  readonly connections: () => number
  behave(behaviour: Behaviour): void
  close(): Promise<void>
}

/** An upstream on this machine that does as it is told. */
export async function startUpstream(first: Behaviour): Promise<LocalUpstream> {
  let behaviour = first
  const arrived: Arrived[] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece) => pieces.push(piece))
    incoming.on('end', () => {
      const json = JSON.parse(Buffer.concat(pieces).toString('utf8') || '{}')
      const { url, headers, socket } = incoming
      const one = { path: url ?? '', headers, json, port: socket.remotePort }
      arrived.push(one)
      void behaviour(outgoing, one)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    connections: () => sockets.size,
    behave: (next) => {
      behaviour = next
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function answerJson(outgoing: ServerResponse, value: unknown, status = 200, headers = {}): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
  outgoing.end(typeof value === 'string' ? value : JSON.stringify(value))
}

export function beginEvents(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
  outgoing.flushHeaders()
}

export const sendData = (outgoing: ServerResponse, value: unknown): void =>
  void outgoing.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)

export const sendEvent = (outgoing: ServerResponse, value: { readonly type: string }): void =>
  void outgoing.write(`event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`)

const OPENAI_USAGE = {
  prompt_tokens: 21,
  completion_tokens: 7,
  total_tokens: 28,
  prompt_tokens_details: { cached_tokens: 5 },
  completion_tokens_details: { reasoning_tokens: 2 },
}

export const completion = (content: string, usage: unknown = OPENAI_USAGE) => ({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1_767_225_600, model: 'upstream-model' },
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  ...(usage === null ? {} : { usage }),
})

const chunkHead = {
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_767_225_600, model: 'upstream-model' },
}
export const chunk = (delta: unknown, finished: string | null = null) => ({
  ...chunkHead,
  choices: [{ index: 0, delta, finish_reason: finished }],
})
export const usageChunk = (usage: unknown = OPENAI_USAGE) => ({ ...chunkHead, choices: [], usage })

/** Answers as OpenAI would, in both ways; usage comes in a stream only if it is asked for. */
export const wellBehaved: Behaviour = (outgoing, { json }) => {
  if (json['stream'] !== true) return answerJson(outgoing, completion('Four words of answer'))
  beginEvents(outgoing)
  sendData(outgoing, chunk({ role: 'assistant', content: '' }))
  for (const word of ['Four', ' words', ' of', ' answer']) sendData(outgoing, chunk({ content: word }))
  sendData(outgoing, chunk({}, 'stop'))
  const { include_usage: wanted } = (json['stream_options'] ?? {}) as { include_usage?: boolean }
  if (wanted) sendData(outgoing, usageChunk())
  sendData(outgoing, '[DONE]')
  outgoing.end()
}
