import { isMembers, listOf, type Members, textOf } from './members.js'
import type { StreamFrame, StreamTranslator } from './stream.js'

/**
 * Of a stream that its caller understands as it is. The usage that we asked for is hidden from a caller who did not ask:
 * some libraries fail at a chunk without choices.
 */
export function passOpenAiStream({ wantsUsage }: { readonly wantsUsage: boolean }): StreamTranslator {
  return {
    take: (event) => {
      if (wantsUsage) return [{ data: event }]
      if (listOf(event['choices']).length === 0 && isMembers(event['usage'])) return []
      return [{ data: 'usage' in event ? withoutUsage(event) : event }]
    },
    end: () => [{ data: '[DONE]' }],
  }
}

function withoutUsage(event: Members): Members {
  const { usage: _hidden, ...shown } = event
  return shown
}

/** The same for Anthropic's events, each of which says its own name; the last one waits for the end. */
export function passAnthropicStream(): StreamTranslator {
  let last: readonly StreamFrame[] = []
  return {
    take: (event) => {
      const frame = { event: textOf(event['type']) || 'message', data: event }
      if (event['type'] !== 'message_stop') return [frame]
      last = [frame]
      return []
    },
    end: () => last,
  }
}
