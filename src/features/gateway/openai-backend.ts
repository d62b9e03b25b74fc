import { type Members, membersOf } from '../../core/chat/index.js'
import type { Provider } from './providers.js'

/** The request for an OpenAI-compatible upstream. A stream is always asked for its usage. */
export function openAiRequest(body: Members, model: string, isStream: boolean): string {
  if (!isStream) return JSON.stringify({ ...body, model })
  return JSON.stringify({
    ...body,
    model,
    stream_options: { ...membersOf(body['stream_options']), include_usage: true },
  })
}

export function openAiHeaders(provider: Provider): Record<string, string> {
  const key = provider.credential()
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...provider.headers,
  }
}
