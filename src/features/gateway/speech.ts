import type { ChatWire, Members, StreamTranslator } from '../../core/chat/index.js'
import { passOpenAiStream } from '../../core/chat/index.js'
import type { ChatCall } from './call.js'
import { openAiHeaders, openAiRequest } from './openai-backend.js'
import type { Provider } from './providers.js'

/** How a call is put to an upstream, and what its answers are to the caller. */
export type Speech = {
  /** What the upstream speaks. */
  readonly wire: ChatWire
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly request: (model: string) => string
  /** The body for the caller. `text` is the upstream's own. */
  readonly answer: (value: Members, text: string) => string
  readonly stream: (model: string) => StreamTranslator
}

/** The echo speaks OpenAI's language. */
export function speechOf(call: ChatCall, provider: Provider): Speech {
  return {
    wire: 'openai',
    path: '/chat/completions',
    headers: openAiHeaders(provider),
    request: (model) => openAiRequest(call.body, model, call.isStream),
    answer: (_value, text) => text,
    stream: () => passOpenAiStream(call),
  }
}
