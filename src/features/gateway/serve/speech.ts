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
  wantsJsonTool,
} from '../../../core/chat/index.js'
import { AppError } from '../../../platform/errors.js'
import type { ChatCall } from '../call.js'
import type { Provider } from '../config/providers.js'
import { type ModelTraits, type SpeechDeps, withoutRefused } from './model-traits.js'
import { anthropicHeaders, openAiHeaders, withUsage } from './provider-requests.js'

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
export function speechOf(call: ChatCall, provider: Provider, { nowMs, traitsOf }: SpeechDeps): Speech {
  const wire: ChatWire = provider.wire === 'anthropic' ? 'anthropic' : 'openai'
  const traits = (model: string) => traitsOf(provider, model)
  return wire === 'openai' ? inOpenAis(call, provider, traits) : inAnthropics(call, provider, traits, nowMs)
}

type Traits = (model: string) => ModelTraits

function inOpenAis(call: ChatCall, provider: Provider, traits: Traits): Speech {
  const isOwn = call.surface === 'openai'
  const body = () => (isOwn ? call.body : requestOf(toOpenAiRequest(call.body, provider.limitName)))
  return {
    wire: 'openai',
    path: '/chat/completions',
    headers: openAiHeaders(provider),
    request: (model) => withUsage({ ...withoutRefused(body(), traits(model)), model }, call.isStream),
    answer: (value, text) => (isOwn ? text : JSON.stringify(toAnthropicAnswer(value))),
    stream: () => (isOwn ? passOpenAiStream(call) : toAnthropicStream()),
  }
}

function inAnthropics(call: ChatCall, provider: Provider, traits: Traits, nowMs: () => number): Speech {
  const isOwn = call.surface === 'anthropic'
  const body = (known: ModelTraits) => (isOwn ? call.body : requestOf(toAnthropicRequest(call.body, known)))
  const isJsonTool = !isOwn && wantsJsonTool(call.body)
  const requestFor = (model: string, known: ModelTraits): Members => ({
    ...withoutRefused(body(known), known),
    model,
  })
  const createdSeconds = () => Math.floor(nowMs() / 1_000)
  return {
    wire: 'anthropic',
    path: '/messages',
    headers: anthropicHeaders(provider, call.passedHeaders),
    request: (model) => requestFor(model, traits(model)),
    answer: (value, text) => (isOwn ? text : JSON.stringify(toOpenAiAnswer(value, createdSeconds(), isJsonTool))),
    stream: () =>
      isOwn
        ? passAnthropicStream()
        : toOpenAiStream({ wantsUsage: call.wantsUsage, createdSeconds: createdSeconds(), isJsonTool }),
  }
}

function requestOf(result: TranslatedRequest): Members {
  if (result.ok) return result.request
  const { pointer, message } = result
  throw new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
