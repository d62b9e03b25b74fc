import { JSON_TOOL } from './json-tool.js'
import { listOf, type Members, membersOf, present, textOf } from './members.js'
import { finishReasonOf, stopReasonOf } from './stop-reasons.js'
import { readArguments } from './to-anthropic-request.js'
import { anthropicUsage, NO_USAGE, openAiUsage, readAnthropicUsage, readOpenAiUsage } from './usage.js'

/**
 * An answer of Anthropic's that came whole, as OpenAI would give it. `createdSeconds` is the time of it; `isJsonTool` says
 * that the input of the tool for JSON is the answer.
 */
export function toOpenAiAnswer(value: Members, createdSeconds: number, isJsonTool = false): Members {
  const blocks = listOf(value['content']).map(membersOf)
  const textsOf = (type: string, name: string) =>
    blocks
      .filter((block) => block['type'] === type)
      .map((block) => textOf(block[name]))
      .join('')
  const used = blocks.filter(({ type }) => type === 'tool_use')
  const answer = isJsonTool ? used.find(({ name }) => name === JSON_TOOL) : undefined
  const calls = used.filter((block) => block !== answer).map(toToolCall)
  const content = answer === undefined ? textsOf('text', 'text') : JSON.stringify(answer['input'] ?? {})
  const message = present({
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    reasoning_content: textsOf('thinking', 'thinking') || undefined,
    tool_calls: calls.length > 0 ? calls : undefined,
  })
  return {
    ...{ id: textOf(value['id']), object: 'chat.completion', created: createdSeconds, model: textOf(value['model']) },
    choices: [{ index: 0, message, finish_reason: finishReasonOf(value['stop_reason'], answer !== undefined) }],
    usage: openAiUsage(readAnthropicUsage(value['usage']) ?? NO_USAGE),
  }
}

const toToolCall = ({ id, name, input }: Members): Members => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input ?? {}) },
})

/** An answer of OpenAI's that came whole, as Anthropic would give it: the first choice of it. */
export function toAnthropicAnswer(value: Members): Members {
  const choice = membersOf(listOf(value['choices'])[0])
  const message = membersOf(choice['message'])
  const text = textOf(message['content']) || textOf(message['refusal'])
  const calls = listOf(message['tool_calls']).map((call) => {
    const { id, function: called } = membersOf(call)
    const { name, arguments: sent } = membersOf(called)
    return { type: 'tool_use', id: textOf(id), name: textOf(name), input: readArguments(textOf(sent)) }
  })
  return {
    ...{ id: textOf(value['id']), type: 'message', role: 'assistant', model: textOf(value['model']) },
    content: [...(text === '' ? [] : [{ type: 'text', text }]), ...calls],
    // Some say `stop` of an answer that calls tools.
    stop_reason: calls.length > 0 ? 'tool_use' : stopReasonOf(choice['finish_reason']),
    stop_sequence: null,
    usage: anthropicUsage(readOpenAiUsage(value['usage']) ?? NO_USAGE),
  }
}
