import {
  estimateAnswer,
  estimateRequestTokens,
  type Members,
  NO_USAGE,
  readAnswerError,
  readAnswerUsage,
  watchStream,
} from '../../../core/chat/index.js'
import { type Backend, backendName } from '../../../core/routing/index.js'
import { AppError } from '../../../platform/errors.js'
import type { Stop } from '../../../platform/stop.js'
import type { CallEnd } from '../account/account.js'
import type { Ledger } from '../account/ledger.js'
import type { Attempt, AttemptAt, ChatCall } from '../call.js'
import type { Provider } from '../config/providers.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { openAnswerStream } from './answer-stream.js'
import { openEcho } from './echo.js'
import type { SpeechDeps } from './model-traits.js'
import { type EventSource, readEvents } from './read-events.js'
import { parseMembers, readWhole } from './read-whole.js'
import type { EndedBy } from './receive-answer.js'
import { type Speech, speechOf } from './speech.js'
import { NOTHING_SPENT, type Spent, spentOn } from './spent.js'
import { explainTrouble, UpstreamTrouble } from './trouble.js'
import { hideCredential, type Upstreams } from './upstream.js'

export type AttemptDeps = SpeechDeps & {
  readonly providers: ReadonlyMap<string, Provider>
  readonly upstreams: Upstreams
  readonly drainMsMax: number
  /** From 0 to 1. */
  readonly random: () => number
}

/** Asks one backend after the other, as it is told, for one call. `stop` tells when the call has to end. */
export function createAttempts(deps: AttemptDeps, call: ChatCall, ledger: Ledger, stop: Stop<EndedBy>): AttemptAt {
  return async (backend) => {
    const provider = deps.providers.get(backend.provider)
    // Nobody waits for it: nothing is asked.
    if (call.signal.aborted) return failure(new UpstreamTrouble({ kind: 'cancelled' }), backend, NOTHING_SPENT)
    ledger.attempt()
    try {
      if (provider === undefined) throw new UpstreamTrouble({ kind: 'own-fault' })
      return await (call.isStream ? askForStream : askForAnswer)({ deps, call, ledger, stop, backend, provider })
    } catch (error) {
      // The request has no word in the backend's language, or what it cost could not be written down.
      const spent = spentOn(error, call)
      noteFailure(ledger, backend, error)
      if (error instanceof AppError)
        return { status: 'failed', outcome: { kind: 'own-fault' }, error: { error, spent } }
      // What fails once the caller left is no more its backend's fault, and no other one is asked.
      if (call.signal.aborted) return failure(new UpstreamTrouble({ kind: 'cancelled' }), backend, spent)
      return failure(error instanceof UpstreamTrouble ? error : OWN_FAULT, backend, spent)
    }
  }
}

/** What it says that it used is kept, if it says so. */
function noteFailure(ledger: Ledger, { provider, model }: Backend, error: unknown): void {
  if (!(error instanceof UpstreamTrouble) || error.seen === null) return
  ledger.fail({ provider, model, outcome: error.message, usage: error.seen })
}

const OWN_FAULT = new UpstreamTrouble({ kind: 'own-fault' })

const failure = (trouble: UpstreamTrouble, backend: Backend, spent: Spent): Attempt => ({
  ...{ status: 'failed', outcome: trouble.outcome },
  error: { error: explainTrouble(trouble, backendName(backend)), spent },
})

type Asking = {
  readonly deps: AttemptDeps
  readonly call: ChatCall
  readonly ledger: Ledger
  readonly stop: Stop<EndedBy>
  readonly backend: Backend
  readonly provider: Provider
}

async function askForAnswer(asking: Asking): Promise<Attempt> {
  const { deps, call, ledger, backend, provider } = asking
  const speech = speechOf(call, provider, deps)
  const text = await answerText(asking, speech)
  const value = parseMembers(text)
  if (value === null) throw new UpstreamTrouble({ kind: 'garbage' })
  const error = readAnswerError(value)
  if (error !== null) {
    const message = hideCredential(error.message, provider)
    const told = { message, type: error.type }
    throw new UpstreamTrouble({ kind: 'error-in-answer' }, told, readAnswerUsage(speech.wire, value))
  }
  const body = speech.answer(value, text)
  const said = readAnswerUsage(speech.wire, value)
  const output = said === null ? estimateAnswer(speech.wire, value) : 0
  const usage = said ?? { ...NO_USAGE, input: estimateRequestTokens(call.body), output }
  const outcome = call.signal.aborted ? 'cancelled' : 'answered'
  const end: CallEnd = { outcome, usage, isEstimated: said === null }
  await ledger.settle({ provider, model: backend.model }, end)
  return { status: 'answering', value: { kind: 'whole', body }, ended: Promise.resolve({ kind: 'answered' }) }
}

async function answerText(asking: Asking, speech: Speech): Promise<string> {
  const { deps, stop, backend, provider } = asking
  if (provider.wire === 'echo')
    return JSON.stringify(await openEcho(provider, deps.random).answer(speech.request(backend.model), stop))
  const response = await deps.upstreams.post({
    ...{ provider, stop, isStream: false, path: speech.path },
    ...{ headers: speech.headers, body: bytesOf(speech.request(backend.model)) },
  })
  return readWhole(response, GATEWAY_LIMITS.answerBytesMax)
}

/** Bytes at once: a text would be kept beside the bytes that are made of it until the answer is here, 30 MB of 90. */
const bytesOf = (request: Members): Buffer => Buffer.from(JSON.stringify(request))

async function askForStream(asking: Asking): Promise<Attempt> {
  const { deps, call, ledger, backend, provider } = asking
  const speech = speechOf(call, provider, deps)
  const source = await openSource(asking, speech)
  const name = backendName(backend)
  try {
    const { frames, ended } = await openAnswerStream({
      ...{ source, watch: watchStream(speech.wire), translator: speech.stream() },
      ...{ surface: call.surface, signal: call.signal, drainMsMax: deps.drainMsMax },
      inputTokens: () => estimateRequestTokens(call.body),
      settle: (end) => ledger.settle({ provider, model: backend.model }, end),
      explain: (trouble) => explainTrouble(trouble, name).message,
    })
    return { status: 'answering', value: { kind: 'stream', frames }, ended }
  } catch (error) {
    source.abort()
    throw error
  }
}

async function openSource({ deps, stop, backend, provider }: Asking, speech: Speech): Promise<EventSource> {
  if (provider.wire === 'echo') return openEcho(provider, deps.random).stream(speech.request(backend.model), stop)
  const response = await deps.upstreams.post({
    ...{ provider, stop, isStream: true, path: speech.path },
    ...{ headers: speech.headers, body: bytesOf(speech.request(backend.model)) },
  })
  if (response.isEventStream) return readEvents(response, speech.wire)
  // A whole answer in place of a stream: most often an error with a status of success.
  const value = parseMembers(await readWhole(response, GATEWAY_LIMITS.answerBytesMax))
  const error = value === null ? null : readAnswerError(value)
  throw new UpstreamTrouble({ kind: error === null ? 'garbage' : 'error-in-answer' }, error)
}
