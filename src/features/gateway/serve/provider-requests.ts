import { type Members, membersOf } from '../../../core/chat/index.js'
import type { Provider } from '../config/providers.js'

/** Where Anthropic's version is not said by the caller. */
const ANTHROPIC_VERSION = '2023-06-01'

/** A stream is always asked for its usage: most of OpenAI's family say nothing of it otherwise. */
export function withUsage(body: Members, isStream: boolean): Members {
  if (!isStream) return body
  return { ...body, stream_options: { ...membersOf(body['stream_options']), include_usage: true } }
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

export function anthropicHeaders(provider: Provider, passed: Readonly<Record<string, string>>): Record<string, string> {
  const key = provider.credential()
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'anthropic-version': ANTHROPIC_VERSION,
    ...passed,
    ...(key === null ? {} : { 'x-api-key': key }),
    ...provider.headers,
  }
}

const PASSED = ['anthropic-version', 'anthropic-beta'] as const

/** Of the caller's headers, those that go on to Anthropic. Its credential and what its library says of itself do not. */
export function passedHeaders(header: (name: string) => string | undefined): Record<string, string> {
  const entries = PASSED.map((name) => [name, header(name)] as const)
  return Object.fromEntries(
    entries.filter((entry): entry is [(typeof PASSED)[number], string] => entry[1] !== undefined),
  )
}
