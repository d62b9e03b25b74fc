import { toParts } from './content-parts.js'
import { listOf, type Members, membersOf, present, textOf } from './members.js'
import { NoWordFor, type TranslatedRequest, translated } from './translation.js'

/** What a part of OpenAI's family calls the limit of an answer; the others know only the older name. */
export type LimitName = 'max_tokens' | 'max_completion_tokens'

/**
 * A request in Anthropic's language as one in OpenAI's, without its model. What the other language has no word for is
 * refused if it is content or a tool, and left out if it is a parameter.
 */
export function toOpenAiRequest(body: Members, limitName: LimitName = 'max_tokens'): TranslatedRequest {
  return translated(() => {
    const system = systemText(body['system'])
    const messages = listOf(body['messages']).flatMap((message, index) => toMessages(membersOf(message), index))
    const user = membersOf(body['metadata'])['user_id']
    return present({
      messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
      [limitName]: body['max_tokens'],
      temperature: body['temperature'],
      top_p: body['top_p'],
      stop: body['stop_sequences'],
      stream: body['stream'] === true ? true : undefined,
      user: typeof user === 'string' ? user : undefined,
      response_format: toResponseFormat(body['output_config']),
      ...toolMembers(body),
    })
  })
}

/** A schema for the answer; whether a model holds to it strictly is its provider's to say. */
function toResponseFormat(config: unknown): Members | undefined {
  const { type, schema } = membersOf(membersOf(config)['format'])
  return type === 'json_schema' ? { type, json_schema: { name: 'answer', schema } } : undefined
}

function systemText(system: unknown): string {
  if (typeof system === 'string') return system
  return listOf(system)
    .map((block) => textOf(membersOf(block)['text']))
    .join('\n\n')
}

function toMessages(message: Members, index: number): Members[] {
  const pointer = `/messages/${index}/content`
  const { role, content } = message
  if (typeof content === 'string') return [{ role, content }]
  return role === 'assistant' ? [assistantMessage(listOf(content), pointer)] : userMessages(listOf(content), pointer)
}

function assistantMessage(blocks: readonly unknown[], pointer: string): Members {
  const calls = blocks.map(membersOf).filter(({ type }) => type === 'tool_use')
  const others = blocks.filter((block) => membersOf(block)['type'] !== 'tool_use')
  const text = toParts(others, pointer)
    .map((part) => textOf(part['text']))
    .join('')
  return present({
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    tool_calls: calls.length === 0 ? undefined : calls.map(toToolCall),
  })
}

const toToolCall = ({ id, name, input }: Members): Members => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(input ?? {}) },
})

/**
 * Results of tools are messages of their own, and hold text only: what else is in them follows as the user's, with the
 * name of its call, so that no image is lost.
 */
function userMessages(blocks: readonly unknown[], pointer: string): Members[] {
  const results: Members[] = []
  const parts: Members[] = []
  for (const [index, one] of blocks.entries()) {
    const block = membersOf(one)
    if (block['type'] !== 'tool_result') {
      parts.push(...toParts([block], pointer))
      continue
    }
    const id = textOf(block['tool_use_id'])
    const all = resultParts(block['content'], `${pointer}/${index}/content`)
    const texts = all.filter(({ type }) => type === 'text').map(({ text }) => textOf(text))
    const rest = all.filter(({ type }) => type !== 'text')
    const content = block['is_error'] === true ? `Error: ${texts.join('\n')}` : texts.join('\n')
    results.push({ role: 'tool', tool_call_id: id, content })
    if (rest.length > 0) parts.push({ type: 'text', text: `Of the result of the tool call ${id}:` }, ...rest)
  }
  if (parts.length === 0) return results
  const isPlain = parts.every(({ type }) => type === 'text') && parts.length === 1
  return [...results, { role: 'user', content: isPlain ? parts[0]?.['text'] : parts }]
}

function resultParts(content: unknown, pointer: string): Members[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : toParts(listOf(content), pointer)
}

function toolMembers(body: Members): Members {
  const tools = listOf(body['tools']).map((one, index) => {
    const { name, description, input_schema: parameters, type } = membersOf(one)
    if (type !== undefined && type !== 'custom') {
      throw new NoWordFor(`/tools/${index}`, 'is a tool that only its own provider runs')
    }
    return { type: 'function', function: present({ name, description, parameters }) }
  })
  if (tools.length === 0) return {}
  const choice = membersOf(body['tool_choice'])
  const parallel = choice['disable_parallel_tool_use'] === true ? false : undefined
  return { tools, tool_choice: toToolChoice(choice), parallel_tool_calls: parallel }
}

function toToolChoice({ type, name }: Members): unknown {
  if (type === 'tool') return { type: 'function', function: { name } }
  if (type === 'any') return 'required'
  return type === 'auto' || type === 'none' ? type : undefined
}
