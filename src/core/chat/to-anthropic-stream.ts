import { listOf, type Members, membersOf, textOf } from './members.js'
import { stopReasonOf } from './stop-reasons.js'
import type { StreamFrame, StreamTranslator } from './stream.js'
import { anthropicUsage, type ChatUsage, NO_USAGE, readOpenAiUsage } from './usage.js'

const frame = (data: Members & { readonly type: string }): StreamFrame => ({ event: data.type, data })

/**
 * Chunks of OpenAI's as the events that Anthropic would send. Calls of tools may come interleaved: each has a block of
 * its own, which stays open to the end.
 */
export function toAnthropicStream(): StreamTranslator {
  const blocks = createBlocks()
  let isBegun = false
  let usage: ChatUsage | null = null
  let finishReason: unknown = null

  const begin = (chunk: Members): StreamFrame[] => {
    if (isBegun) return []
    isBegun = true
    const message = {
      ...{ id: textOf(chunk['id']), type: 'message', role: 'assistant', model: textOf(chunk['model']), content: [] },
      ...{ stop_reason: null, stop_sequence: null, usage: anthropicUsage(NO_USAGE) },
    }
    return [frame({ type: 'message_start', message })]
  }
  return {
    take: (chunk) => {
      usage = readOpenAiUsage(chunk['usage']) ?? usage
      const { delta: sent, finish_reason: finished } = membersOf(listOf(chunk['choices'])[0])
      finishReason = finished ?? finishReason
      const delta = membersOf(sent)
      const text = textOf(delta['content']) + textOf(delta['refusal'])
      return [...begin(chunk), ...blocks.addText(text), ...listOf(delta['tool_calls']).flatMap(blocks.addCall)]
    },
    end: () => {
      const reason = blocks.hasCalls() ? 'tool_use' : stopReasonOf(finishReason)
      const delta = { stop_reason: reason, stop_sequence: null }
      return [
        ...begin({}),
        ...blocks.closeAll(),
        frame({ type: 'message_delta', delta, usage: anthropicUsage(usage ?? NO_USAGE) }),
        frame({ type: 'message_stop' }),
      ]
    },
  }
}

/** The blocks of one message: a text is closed when a call begins, calls at the end. */
function createBlocks() {
  let count = 0
  let openText: number | null = null
  const calls = new Map<unknown, number>()

  const open = (block: Members): StreamFrame => {
    count += 1
    return frame({ type: 'content_block_start', index: count - 1, content_block: block })
  }
  const close = (index: number): StreamFrame => frame({ type: 'content_block_stop', index })
  const add = (index: number, delta: Members): StreamFrame => frame({ type: 'content_block_delta', index, delta })
  const closeText = (): StreamFrame[] => {
    const index = openText
    openText = null
    return index === null ? [] : [close(index)]
  }
  return {
    hasCalls: () => calls.size > 0,
    addText: (text: string): StreamFrame[] => {
      if (text === '') return []
      const opened = openText === null ? [open({ type: 'text', text: '' })] : []
      openText ??= count - 1
      return [...opened, add(openText, { type: 'text_delta', text })]
    },
    addCall: (one: unknown): StreamFrame[] => {
      const { index = 0, id, function: called } = membersOf(one)
      const { name, arguments: sent } = membersOf(called)
      const frames: StreamFrame[] = []
      if (!calls.has(index)) {
        frames.push(...closeText())
        frames.push(open({ type: 'tool_use', id: textOf(id) || `call_${count}`, name: textOf(name), input: {} }))
        calls.set(index, count - 1)
      }
      const json = textOf(sent)
      if (json !== '') frames.push(add(calls.get(index) ?? 0, { type: 'input_json_delta', partial_json: json }))
      return frames
    },
    closeAll: (): StreamFrame[] => [...closeText(), ...[...calls.values()].map(close)],
  }
}
