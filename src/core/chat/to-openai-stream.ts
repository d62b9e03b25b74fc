import { JSON_TOOL } from './json-tool.js'
import { type Members, membersOf, textOf } from './members.js'
import { finishReasonOf } from './stop-reasons.js'
import type { StreamFrame, StreamTranslator } from './stream.js'
import { type ChatUsage, NO_USAGE, openAiUsage, readAnthropicUsage } from './usage.js'

type OpenAiStreamOptions = {
  readonly wantsUsage: boolean
  readonly createdSeconds: number
  /** Whether the input of the tool for JSON is the answer. */
  readonly isJsonTool?: boolean
}

/** Events of Anthropic's as the chunks that OpenAI would send. */
export function toOpenAiStream({
  wantsUsage,
  createdSeconds,
  isJsonTool = false,
}: OpenAiStreamOptions): StreamTranslator {
  let head: Members = { id: '', object: 'chat.completion.chunk', created: createdSeconds, model: '' }
  let usage: ChatUsage | null = null
  let stopReason: unknown = null

  const chunk = (delta: Members, finished: string | null = null): StreamFrame => ({
    data: { ...head, choices: [{ index: 0, delta, finish_reason: finished }] },
  })
  const blocks = createDeltas(isJsonTool)
  const begin = (event: Members): Members[] => {
    const message = membersOf(event['message'])
    head = { ...head, id: textOf(message['id']), model: textOf(message['model']) }
    usage = readAnthropicUsage(message['usage'], usage)
    return [{ role: 'assistant', content: '' }]
  }
  const note = (event: Members): Members[] => {
    usage = readAnthropicUsage(event['usage'], usage)
    stopReason = membersOf(event['delta'])['stop_reason'] ?? stopReason
    return []
  }
  const steps: Readonly<Record<string, (event: Members) => Members[]>> = {
    message_start: begin,
    content_block_start: blocks.begin,
    content_block_delta: blocks.go,
    content_block_stop: blocks.end,
    message_delta: note,
  }
  return {
    take: (event) => (steps[textOf(event['type'])]?.(event) ?? []).map((delta) => chunk(delta)),
    end: () => [
      chunk({}, finishReasonOf(stopReason, isJsonTool)),
      ...(wantsUsage ? [{ data: { ...head, choices: [], usage: openAiUsage(usage ?? NO_USAGE) } }] : []),
      { data: '[DONE]' },
    ],
  }
}

/** What a chunk's delta is for each event of a block. */
function createDeltas(isJsonTool: boolean) {
  /** The calls by the index of their block, and whether arguments of them came. */
  const calls = new Map<unknown, { readonly index: number; readonly isAnswer: boolean; hasArguments: boolean }>()
  const addArguments = (block: unknown, text: string): Members[] => {
    const call = calls.get(block)
    if (call === undefined || text === '') return []
    call.hasArguments = true
    if (call.isAnswer) return [{ content: text }]
    return [{ tool_calls: [{ index: call.index, function: { arguments: text } }] }]
  }
  return {
    begin: (event: Members): Members[] => {
      const { type, id, name } = membersOf(event['content_block'])
      if (type !== 'tool_use') return []
      const index = calls.size
      const isAnswer = isJsonTool && name === JSON_TOOL
      calls.set(event['index'], { index, isAnswer, hasArguments: false })
      if (isAnswer) return []
      return [{ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }]
    },
    go: (event: Members): Members[] => {
      const { type, text, thinking, partial_json: json } = membersOf(event['delta'])
      if (type === 'text_delta') return [{ content: textOf(text) }]
      if (type === 'thinking_delta') return [{ reasoning_content: textOf(thinking) }]
      return type === 'input_json_delta' ? addArguments(event['index'], textOf(json)) : []
    },
    /** A call without arguments has an empty object there, and would have an empty text here, which is no JSON. */
    end: (event: Members): Members[] =>
      calls.get(event['index'])?.hasArguments === false ? addArguments(event['index'], '{}') : [],
  }
}
