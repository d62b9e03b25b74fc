import type { Members } from './members.js'
import type { AnswerError } from './watch-answer.js'

/** One event for the caller. `[DONE]` is how OpenAI's streams end. */
export type StreamFrame = { readonly event?: string; readonly data: Members | '[DONE]' }

/** Turns the events of one language into those of another, one at a time. */
export type StreamTranslator = {
  take(event: Members): readonly StreamFrame[]
  /** What ends a stream that is complete. */
  end(): readonly StreamFrame[]
}

/** A frame as it stands on the wire (HTML standard, 9.2.6). JSON holds no line feed. */
export function renderFrame({ event, data }: StreamFrame): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return event === undefined ? `data: ${text}\n\n` : `event: ${event}\ndata: ${text}\n\n`
}

/**
 * What ends a stream that broke off: libraries take a clean early end for success, so there must be an error, and for
 * OpenAI's no `[DONE]`.
 */
export function failureFrame(wire: 'openai' | 'anthropic', { message, type }: AnswerError): StreamFrame {
  if (wire === 'openai') return { data: { error: { message, type: type ?? 'server_error', code: null, param: null } } }
  return { event: 'error', data: { type: 'error', error: { type: type ?? 'api_error', message } } }
}
