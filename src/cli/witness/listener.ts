import type { IncomingMessage, ServerResponse } from 'node:http'
import { witnessSubmissionBytesMax } from '../../core/tlog/index.js'
import { createRefusalLines } from '../../http/listen/refusal-lines.js'
import type { ServiceListener } from '../../http/listen/server.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { CLI_LIMITS } from '../limits.js'
import type { AddCheckpoint, Answer } from './add-checkpoint.js'

const TEXT = 'text/plain; charset=utf-8'
const SIZE = 'text/x.tlog.size'

type Reply = {
  readonly status: number
  readonly body: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type ListenerDeps = { readonly keyText: string; readonly add: AddCheckpoint; readonly logger: Logger }

/** What a witness answers: `POST /add-checkpoint`, and its verifier key at `/` and `/vkey`. */
export function createWitnessListener(deps: ListenerDeps): ServiceListener {
  const lines = createRefusalLines(deps.logger, CLI_LIMITS.witnessRefusalLinesPerSecondMax, 'info', {
    each: 'refused',
    rest: 'refused submissions',
  })
  let underWay = 0

  const submit = async (incoming: IncomingMessage): Promise<Reply> => {
    const body = await readBody(incoming)
    if (body === null) return { status: 413, body: 'too large\n' }
    // Only now: a body that comes slowly keeps its connection, and no other submission from its turn.
    if (underWay >= CLI_LIMITS.witnessSubmissionsMax) {
      return { status: 503, body: 'too many submissions at once\n', headers: { 'Retry-After': '1' } }
    }
    underWay += 1
    try {
      const answer = await deps.add(body)
      tell(deps.logger, lines.write, answer)
      return renderAnswer(answer)
    } finally {
      underWay -= 1
    }
  }

  const reply = (incoming: IncomingMessage): Promise<Reply> | Reply => {
    const [path] = (incoming.url ?? '').split('?', 1)
    if (path === '/add-checkpoint') {
      return incoming.method === 'POST' ? submit(incoming) : notAllowed('POST')
    }
    if (path !== '/' && path !== '/vkey') return { status: 404, body: 'not found\n' }
    const isRead = incoming.method === 'GET' || incoming.method === 'HEAD'
    return isRead ? { status: 200, body: `${deps.keyText}\n` } : notAllowed('GET, HEAD')
  }

  return (incoming, outgoing) => {
    void (async () => send(incoming, outgoing, await reply(incoming)))().catch((error: unknown) => {
      // A client that left, or a state that could not be kept: then nothing was cosigned.
      if (incoming.destroyed && !incoming.complete) return
      deps.logger.error({ error: describeError(error) }, 'could not answer a submission')
      send(incoming, outgoing, { status: 500, body: 'the checkpoint could not be kept\n' })
    })
  }
}

const notAllowed = (allow: string): Reply => ({ status: 405, body: 'method not allowed\n', headers: { Allow: allow } })

function renderAnswer(answer: Answer): Reply {
  if (answer.status === 200) return { status: 200, body: answer.lines }
  if (answer.status === 409) return { status: 409, body: `${answer.size}\n`, type: SIZE }
  return { status: answer.status, body: `${answer.reason}\n` }
}

function send(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, body, type = TEXT, headers }: Reply,
): void {
  // What is left of a body that was refused is not read.
  if (!incoming.complete) outgoing.shouldKeepAlive = false
  outgoing.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
  outgoing.end(body)
}

/** The body, or null if it is too large. Its time is the server's (`requestMsMax`). */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array | null> {
  if (Number(incoming.headers['content-length'] ?? 0) > witnessSubmissionBytesMax) return null
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > witnessSubmissionBytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tell(logger: Logger, refuse: (line: Readonly<Record<string, unknown>>, kind: string) => void, answer: Answer) {
  const { status, checkpoint } = answer
  const about = { status, origin: checkpoint?.origin, size: checkpoint?.size }
  if (answer.status === 200) logger.info(about, 'cosigned')
  else if (answer.status === 409) refuse({ ...about, kept: answer.size }, '409')
  else refuse({ ...about, reason: answer.reason }, String(status))
}
