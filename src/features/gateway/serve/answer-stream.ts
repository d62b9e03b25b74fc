import {
  type AnswerWatch,
  type ChatUsage,
  type ChatWire,
  failureFrame,
  NO_USAGE,
  renderFrame,
  type StreamFrame,
  type StreamTranslator,
} from '../../../core/chat/index.js'
import type { Outcome } from '../../../core/routing/index.js'
import { type Cancel, expireAfter } from '../../../platform/deadline.js'
import type { CallEnd } from '../account/account.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { EventSource } from './read-events.js'
import { UpstreamTrouble } from './trouble.js'

export type StreamParts = {
  readonly source: EventSource
  readonly watch: AnswerWatch
  readonly translator: StreamTranslator
  /** In whose language the caller is told that it broke off. */
  readonly surface: ChatWire
  /** What went in, if the upstream does not say. */
  readonly inputTokens: () => number
  /** The caller's: aborted when it left. */
  readonly signal: AbortSignal
  readonly drainMsMax: number
  /** How long it may be silent once its answer said why it ended; tests choose it. */
  readonly saidMsMax?: number
  /** Writes the row, once; resolves when the caller may have the last byte. */
  readonly settle: (end: CallEnd) => Promise<void>
  /** What the backend is blamed for, and how: the words for the caller. */
  readonly explain: (trouble: UpstreamTrouble) => string
}

export type OpenedStream = { readonly frames: AsyncGenerator<string>; readonly ended: Promise<Outcome> }

const render = (frames: readonly StreamFrame[]): string => frames.map(renderFrame).join('')

/**
 * Waits for the first content, so that until then another backend can be asked. Throws `UpstreamTrouble` for a stream
 * that fails before.
 */
export async function openAnswerStream(parts: StreamParts): Promise<OpenedStream> {
  const first = await readFirst(parts)
  let end: (outcome: Outcome) => void = () => undefined
  const ended = new Promise<Outcome>((resolve) => {
    end = resolve
  })
  const frames = run(parts, first, end)
  // Begun here: one that was never begun would not hear that its caller left before it read anything.
  await frames.next()
  return { frames, ended }
}

/** The text of what comes up to the first content. */
async function readFirst(parts: StreamParts): Promise<string> {
  const { source, watch } = parts
  const { heldEventsMax } = GATEWAY_LIMITS
  let first = ''
  try {
    for (let held = 0; held < heldEventsMax && watch.outputTokens() === 0 && !watch.isComplete(); held += 1) {
      const event = await source.next()
      if (event === null) throw new UpstreamTrouble({ kind: 'cut' })
      first += render(take(parts, event))
    }
  } catch (error) {
    const seen = watch.usage()
    if (!(error instanceof UpstreamTrouble) || seen === null) throw error
    throw new UpstreamTrouble(error.outcome, error.told, seen)
  }
  return first
}

function take({ watch, translator }: StreamParts, event: Parameters<AnswerWatch['see']>[0]): readonly StreamFrame[] {
  watch.see(event)
  const error = watch.error()
  if (error !== null) throw new UpstreamTrouble({ kind: 'error-in-answer' }, error)
  return translator.take(event)
}

async function* run(parts: StreamParts, first: string, end: (outcome: Outcome) => void): AsyncGenerator<string> {
  const { source, watch, translator, settle, surface } = parts
  const drain = limitDrain(parts)
  let isOver = false
  try {
    yield ''
    if (first !== '') yield first
    for (let event = await nextOf(parts); event !== null; event = await nextOf(parts)) {
      const text = render(take(parts, event))
      if (text !== '') yield text
    }
    if (!watch.isComplete()) throw new UpstreamTrouble({ kind: 'cut' })
    isOver = true
    const outcome = parts.signal.aborted ? 'cancelled' : 'answered'
    end({ kind: outcome })
    await settle(endOf(parts, outcome))
    yield render(translator.end())
  } catch (error) {
    isOver = true
    const trouble = error instanceof UpstreamTrouble ? error : new UpstreamTrouble({ kind: 'own-fault' })
    source.abort()
    end(parts.signal.aborted ? { kind: 'cancelled' } : trouble.outcome)
    await settle(endOf(parts, parts.signal.aborted ? 'cancelled' : trouble.message)).catch(() => undefined)
    yield renderFrame(failureFrame(surface, { message: parts.explain(trouble), type: trouble.told?.type ?? null }))
  } finally {
    if (isOver) drain.cancel()
    else void drain.readOn(end)
  }
}

/**
 * The next event. Some upstreams say why the answer ended, and then nothing more, and never close: after a short silence that is
 * the end of it.
 */
async function nextOf({
  source,
  watch,
  saidMsMax = GATEWAY_LIMITS.saidMsMax,
}: StreamParts): ReturnType<EventSource['next']> {
  if (!watch.isSaid()) return source.next()
  let isSilent = false
  const cancel = expireAfter(saidMsMax, () => {
    isSilent = true
    source.abort()
  })
  try {
    return await source.next()
  } catch (error) {
    if (isSilent || (error instanceof UpstreamTrouble && error.outcome.kind === 'timeout')) return null
    throw error
  } finally {
    cancel()
  }
}

/**
 * When the caller leaves, the answer is read on for its usage, but not for long: what was generated will be paid for,
 * and what is not read need not be generated.
 */
function limitDrain(parts: StreamParts) {
  const { source, watch, signal, drainMsMax, settle } = parts
  let cancelTimer: Cancel = () => undefined
  const begin = () => {
    cancelTimer = expireAfter(drainMsMax, source.abort)
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  const cancel = () => {
    cancelTimer()
    signal.removeEventListener('abort', begin)
  }
  const readOn = async (end: (outcome: Outcome) => void): Promise<void> => {
    if (!signal.aborted) {
      signal.removeEventListener('abort', begin)
      begin()
    }
    const bytesMax = source.bytes() + GATEWAY_LIMITS.drainBytesMax
    try {
      for (let event = await source.next(); event !== null; event = await source.next()) {
        watch.see(event)
        if (source.bytes() > bytesMax) break
      }
    } catch {
      // It broke off, or took too long: what is known by now is what is written down.
    }
    source.abort()
    cancel()
    end({ kind: 'cancelled' })
    await settle(endOf(parts, 'cancelled')).catch(() => undefined)
  }
  return { cancel, readOn }
}

/** What an answer used: what the upstream says once it is complete, our own count for what it did not say. */
function endOf({ watch, inputTokens }: StreamParts, outcome: string): CallEnd {
  const said = watch.usage()
  if (said !== null && watch.isComplete()) return { outcome, usage: said, isEstimated: false }
  const usage: ChatUsage = said ?? { ...NO_USAGE, input: inputTokens() }
  return { outcome, usage: { ...usage, output: Math.max(usage.output, watch.outputTokens()) }, isEstimated: true }
}
