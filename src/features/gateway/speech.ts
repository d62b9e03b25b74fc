import {
  type ChatWire,
  type Members,
  passAnthropicStream,
  passOpenAiStream,
  type StreamTranslator,
  type TranslatedRequest,
  toAnthropicAnswer,
  toAnthropicRequest,
  toAnthropicStream,
  toOpenAiAnswer,
  toOpenAiRequest,
  toOpenAiStream,
} from '../../core/chat/index.js'
import { AppError } from '../../platform/errors.js'
import type { ChatCall } from './call.js'
import { anthropicHeaders, openAiHeaders, withUsage } from './provider-requests.js'
import type { Provider } from './providers.js'

/** How a call is put to an upstream, and what its answers are to the caller. */
export type Speech = {
  /** What the upstream speaks. */
  readonly wire: ChatWire
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The request in the upstream's language. Throws `validation-failed` for what that has no word for. */
  readonly request: (model: string) => Members
  /** The body for the caller. `text` is the upstream's own. */
  readonly answer: (value: Members, text: string) => string
  readonly stream: () => StreamTranslator
}

/** The echo speaks OpenAI's language. */
export function speechOf(call: ChatCall, provider: Provider, nowMs: () => number): Speech {
  const wire: ChatWire = provider.wire === 'anthropic' ? 'anthropic' : 'openai'
  return wire === 'openai' ? inOpenAis(call, provider) : inAnthropics(call, provider, nowMs)
}

function inOpenAis(call: ChatCall, provider: Provider): Speech {
  const isOwn = call.surface === 'openai'
  const body = () => (isOwn ? call.body : requestOf(toOpenAiRequest(call.body, provider.limitName)))
  return {
    wire: 'openai',
    path: '/chat/completions',
    headers: openAiHeaders(provider),
    request: (model) => withUsage({ ...body(), model }, call.isStream),
    answer: (value, text) => (isOwn ? text : JSON.stringify(toAnthropicAnswer(value))),
    stream: () => (isOwn ? passOpenAiStream(call) : toAnthropicStream()),
  }
}

function inAnthropics(call: ChatCall, provider: Provider, nowMs: () => number): Speech {
  const isOwn = call.surface === 'anthropic'
  const body = () => (isOwn ? call.body : requestOf(toAnthropicRequest(call.body)))
  const createdSeconds = () => Math.floor(nowMs() / 1_000)
  return {
    wire: 'anthropic',
    path: '/messages',
    headers: anthropicHeaders(provider, call.passedHeaders),
    request: (model) => ({ ...body(), model }),
    answer: (value, text) => (isOwn ? text : JSON.stringify(toOpenAiAnswer(value, createdSeconds()))),
    stream: () =>
      isOwn ? passAnthropicStream() : toOpenAiStream({ wantsUsage: call.wantsUsage, createdSeconds: createdSeconds() }),
  }
}

function requestOf(result: TranslatedRequest): Members {
  if (result.ok) return result.request
  const { pointer, message } = result
  throw new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
