import { estimateTokens } from './estimate.js'
import { isMembers, listOf, type Members, membersOf, textOf } from './members.js'
import { type ChatUsage, readAnthropicUsage, readOpenAiUsage } from './usage.js'

/** The two languages that upstreams and callers speak. */
export type ChatWire = 'openai' | 'anthropic'

/** An error that came where an answer was due: in a body with a status of success, or in the middle of a stream. */
export type AnswerError = { readonly message: string; readonly type: string | null }

/** What is told of an answer while it passes, whoever it is for. */
export type AnswerWatch = {
  /** One event of a stream, parsed. */
  see(event: Members): void
  /** What the upstream says that it used; null if it said nothing. */
  readonly usage: () => ChatUsage | null
  /** About how many tokens passed. */
  readonly outputTokens: () => number
  /** Whether the answer said that it is over. */
  readonly isComplete: () => boolean
  /** Whether all that can still come is what it used: each choice that began said that it is over. */
  readonly isSaid: () => boolean
  readonly error: () => AnswerError | null
}

/** More than that are told apart no more. */
const choicesMax = 1_000

export function watchStream(wire: ChatWire): AnswerWatch {
  let usage: ChatUsage | null = null
  let outputTokens = 0
  let isComplete = false
  const begun = new Set<unknown>()
  const over = new Set<unknown>()
  let error: AnswerError | null = null
  const seeOpenAi = (event: Members): void => {
    usage = readOpenAiUsage(event['usage']) ?? usage
    for (const choice of listOf(event['choices'])) {
      const { index = 0, finish_reason: finished, delta } = membersOf(choice)
      if (begun.size < choicesMax) begun.add(index)
      outputTokens += estimateDelta(membersOf(delta))
      if (finished == null) continue
      isComplete = true
      if (over.size < choicesMax) over.add(index)
    }
  }
  const seeAnthropic = (event: Members): void => {
    const { type } = event
    if (type === 'message_start') usage = readAnthropicUsage(membersOf(event['message'])['usage'], usage)
    if (type === 'message_delta') usage = readAnthropicUsage(event['usage'], usage)
    if (type === 'content_block_delta') {
      const { text, thinking, partial_json: json } = membersOf(event['delta'])
      outputTokens += estimateTokens(textOf(text) + textOf(thinking) + textOf(json))
    }
    if (type === 'message_stop') isComplete = true
  }
  return {
    see: (event) => {
      error ??= readAnswerError(event)
      if (wire === 'openai') seeOpenAi(event)
      else seeAnthropic(event)
    },
    usage: () => usage,
    outputTokens: () => outputTokens,
    isComplete: () => isComplete,
    isSaid: () => isComplete && over.size >= begun.size,
    error: () => error,
  }
}

function estimateDelta(delta: Members): number {
  let text = textOf(delta['content']) + textOf(delta['reasoning_content']) + textOf(delta['refusal'])
  for (const call of listOf(delta['tool_calls'])) {
    const { name, arguments: sent } = membersOf(membersOf(call)['function'])
    text += textOf(name) + textOf(sent)
  }
  return text === '' ? 0 : estimateTokens(text)
}

/** The `error` of a body or an event, as either language writes it; null if it holds none. */
export function readAnswerError(value: Members): AnswerError | null {
  const { error } = value
  if (typeof error === 'string') return { message: error, type: null }
  if (!isMembers(error)) return null
  const { message, type } = error
  // A kind of error is one word; anything else in its place is not passed on.
  return { message: textOf(message), type: /^[A-Za-z_]{1,64}$/.test(textOf(type)) ? textOf(type) : null }
}

/** What an answer that came whole used; estimated tokens of its text stand in where it does not say. */
export function readAnswerUsage(wire: ChatWire, value: Members): ChatUsage | null {
  return wire === 'openai' ? readOpenAiUsage(value['usage']) : readAnthropicUsage(value['usage'])
}

/** About how many tokens an answer that came whole has. */
export function estimateAnswer(wire: ChatWire, value: Members): number {
  if (wire === 'openai') {
    const messages = listOf(value['choices']).map((choice) => membersOf(membersOf(choice)['message']))
    return messages.reduce((sum, message) => sum + estimateDelta(message), 0)
  }
  const texts = listOf(value['content']).map((block) => {
    const { text, thinking, input } = membersOf(block)
    return textOf(text) + textOf(thinking) + (isMembers(input) ? JSON.stringify(input) : '')
  })
  return estimateTokens(texts.join(''))
}
