import { toBlocks } from './content-parts.js'
import { jsonToolMembers, wantsJsonTool } from './json-tool.js'
import { isMembers, listOf, type Members, membersOf, present, textOf } from './members.js'
import { type TranslatedRequest, translated } from './translation.js'

/** Anthropic asks for a limit; where the caller sets none it is this. */
const outputTokensDefault = 4_096

/** What a model can be held to: an answer that fits a schema, an answer that is the input of a tool. */
type Takes = { readonly takesJsonSchema: boolean; readonly takesJsonTool: boolean }

const NOTHING: Takes = { takesJsonSchema: false, takesJsonTool: false }

/**
 * A request in OpenAI's language as one in Anthropic's, without its model. What the other language has no word for is
 * refused if it is content, and left out if it is a parameter.
 */
export function toAnthropicRequest(body: Members, takes: Takes = NOTHING): TranslatedRequest {
  return translated(() => {
    const { rule, ...held } = formatOf(body, takes)
    const system = [...systemBlocks(body), ...rule]
    const { temperature, max_completion_tokens: most, max_tokens: mostOnce, stop, user } = body
    return present({
      max_tokens: numberOf(most) ?? numberOf(mostOnce) ?? outputTokensDefault,
      messages: toMessages(body),
      system: system.length === 0 ? undefined : system,
      // Its scale ends at 1.
      temperature: typeof temperature === 'number' ? Math.min(temperature, 1) : undefined,
      top_p: numberOf(body['top_p']),
      stop_sequences: typeof stop === 'string' ? [stop] : Array.isArray(stop) ? stop : undefined,
      stream: body['stream'] === true ? true : undefined,
      metadata: typeof user === 'string' ? { user_id: user } : undefined,
      ...toolMembers(body),
      ...held,
    })
  })
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const isSystem = (role: unknown): boolean => role === 'system' || role === 'developer'

function systemBlocks(body: Members): Members[] {
  return listOf(body['messages']).flatMap((message, index) => {
    const { role, content } = membersOf(message)
    return isSystem(role) ? toBlocks(content, `/messages/${index}/content`) : []
  })
}

const JSON_ONLY = 'Answer with one JSON value and nothing else: no words around it, no code fence.'

/** What holds an answer to the format that is wanted: members of the request, or else a rule in words. */
function formatOf(body: Members, { takesJsonSchema, takesJsonTool }: Takes): { readonly rule: Members[] } & Members {
  const schema = takesJsonSchema ? strictSchemaOf(body) : null
  if (schema !== null) return { rule: [], output_config: { format: { type: 'json_schema', schema } } }
  return takesJsonTool && wantsJsonTool(body) ? { rule: [], ...jsonToolMembers() } : { rule: jsonRule(body) }
}

/**
 * The schema that holds strictly. Only such a one is all that Anthropic takes for a schema: every object closed, every
 * member required; with another one the whole request would be refused.
 */
function strictSchemaOf(body: Members): Members | null {
  const { type, json_schema: said } = membersOf(body['response_format'])
  const { strict, schema } = membersOf(said)
  return type === 'json_schema' && strict === true && isMembers(schema) ? schema : null
}

/** What nothing else holds a model to is asked of it in words. */
function jsonRule(body: Members): Members[] {
  const format = membersOf(body['response_format'])
  if (format['type'] === 'json_object') return [{ type: 'text', text: JSON_ONLY }]
  if (format['type'] !== 'json_schema') return []
  const schema = JSON.stringify(membersOf(format['json_schema'])['schema'] ?? {})
  return [{ type: 'text', text: `${JSON_ONLY} It must fit this JSON schema: ${schema}` }]
}

/** Anthropic's roles alternate: results of tools, which are messages of their own here, are the user's there. */
function toMessages(body: Members): Members[] {
  const messages: { role: string; content: Members[] }[] = []
  for (const [index, one] of listOf(body['messages']).entries()) {
    const message = membersOf(one)
    if (isSystem(message['role'])) continue
    const role = message['role'] === 'assistant' ? 'assistant' : 'user'
    const content = blocksOf(message, `/messages/${index}`)
    if (content.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else messages.push({ role, content })
  }
  return messages
}

function blocksOf(message: Members, pointer: string): Members[] {
  const blocks = toBlocks(message['content'], `${pointer}/content`)
  if (message['role'] === 'tool') {
    return [{ type: 'tool_result', tool_use_id: textOf(message['tool_call_id']), content: blocks }]
  }
  return message['role'] === 'assistant' ? [...blocks, ...listOf(message['tool_calls']).map(toToolUse)] : blocks
}

function toToolUse(call: unknown): Members {
  const { id, function: called } = membersOf(call)
  const { name, arguments: sent } = membersOf(called)
  return { type: 'tool_use', id: textOf(id), name: textOf(name), input: readArguments(textOf(sent)) }
}

/** The arguments of a call are a text, which a model may have got wrong: then they are kept as such. */
export function readArguments(text: string): Members {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isMembers(value) ? value : { value }
  } catch {
    return { arguments: text }
  }
}

function toolMembers(body: Members): Members {
  const tools = listOf(body['tools']).map((tool) => {
    const { name, description, parameters } = membersOf(membersOf(tool)['function'])
    return present({ name, description, input_schema: parameters ?? { type: 'object', properties: {} } })
  })
  if (tools.length === 0) return {}
  return { tools, tool_choice: toToolChoice(body['tool_choice'], body['parallel_tool_calls'] === false) }
}

function toToolChoice(choice: unknown, isSingle: boolean): Members | undefined {
  const named = textOf(membersOf(membersOf(choice)['function'])['name'])
  const single = isSingle ? { disable_parallel_tool_use: true } : {}
  if (named !== '') return { type: 'tool', name: named, ...single }
  if (choice === 'none') return { type: 'none' }
  if (choice === 'required') return { type: 'any', ...single }
  return choice === 'auto' || isSingle ? { type: 'auto', ...single } : undefined
}
