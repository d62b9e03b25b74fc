import {
  estimateRequestTokens,
  estimateTokens,
  isMembers,
  listOf,
  type Members,
  membersOf,
  textOf,
} from '../../../core/chat/index.js'
import { expireAfter } from '../../../platform/deadline.js'
import type { Stop } from '../../../platform/stop.js'
import type { Provider } from '../config/providers.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { EventSource } from './read-events.js'
import type { EndedBy } from './receive-answer.js'
import { UpstreamTrouble } from './trouble.js'

/** A backend without an upstream: it says what it was told. For trying things out, and for tests of what calls it. */
export type Echo = {
  answer(body: Members, stop: Stop<EndedBy>): Promise<Members>
  stream(body: Members, stop: Stop<EndedBy>): Promise<EventSource>
}

const MOCK_FAILURE_STATUS = 503

export function openEcho({ mock }: Provider, random: () => number): Echo {
  const begin = async (stop: Stop<EndedBy>): Promise<void> => {
    if (mock.latencyMs > 0) await wait(mock.latencyMs, stop)
    if (random() < mock.failureRate) throw new UpstreamTrouble({ kind: 'status', status: MOCK_FAILURE_STATUS })
  }
  return {
    answer: async (body, stop) => {
      await begin(stop)
      const { content, toolCalls, finished, usage } = echo(body)
      const message = { role: 'assistant', content, ...(toolCalls === null ? {} : { tool_calls: toolCalls }) }
      return { ...headOf(body, 'chat.completion'), choices: [{ index: 0, message, finish_reason: finished }], usage }
    },
    stream: async (body, stop) => {
      await begin(stop)
      return sourceOf(chunksOf(body), mock.tokensPerSecond, stop)
    },
  }
}

function wait(ms: number, stop: Stop<EndedBy>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = expireAfter(ms, () => {
      forget()
      resolve()
    })
    const forget = stop.whenStopped(() => {
      cancel()
      reject(new UpstreamTrouble({ kind: stop.why() ?? 'cancelled' }))
    })
  })
}

const headOf = (body: Members, object: string): Members => ({
  ...{ id: 'chatcmpl-echo', object, created: 0, model: textOf(body['model']) },
})

function echo(body: Members) {
  const tool = forcedTool(body)
  const said = lastWords(body)
  const isJson = /^json/.test(textOf(membersOf(body['response_format'])['type']))
  const content = tool === null ? (isJson ? JSON.stringify({ echo: said }) : said) : null
  const call = {
    id: 'call_echo',
    type: 'function',
    function: { name: tool, arguments: JSON.stringify({ echo: said }) },
  }
  const output = estimateTokens(content ?? call.function.arguments)
  const input = estimateRequestTokens(body)
  return {
    content,
    toolCalls: tool === null ? null : [call],
    finished: tool === null ? 'stop' : 'tool_calls',
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  }
}

/** A tool is called if the request says that one must be, and no result of it has come yet. */
function forcedTool(body: Members): string | null {
  const { tool_choice: choice, tools, messages } = body
  if (membersOf(listOf(messages).at(-1))['role'] === 'tool') return null
  const named = textOf(membersOf(membersOf(choice)['function'])['name'])
  if (named !== '') return named
  return choice === 'required' ? textOf(membersOf(membersOf(listOf(tools)[0])['function'])['name']) || null : null
}

/** The text of the last message, cut to what the echo may say. */
function lastWords(body: Members): string {
  const { content } = membersOf(listOf(body['messages']).at(-1))
  const text =
    typeof content === 'string'
      ? content
      : listOf(content)
          .map((part) => textOf(membersOf(part)['text']))
          .join('')
  return [...text.slice(0, 4 * GATEWAY_LIMITS.echoTokensMax)].join('')
}

function chunksOf(body: Members): Members[] {
  const { content, toolCalls, finished, usage } = echo(body)
  const head = headOf(body, 'chat.completion.chunk')
  const chunk = (delta: Members, reason: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  const words = content?.match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? []
  const calls = toolCalls?.map((call, index) => ({ index, ...call }))
  return [
    chunk({ role: 'assistant', content: '' }),
    ...words.map((word) => chunk({ content: word })),
    ...(calls === undefined ? [] : [chunk({ tool_calls: calls })]),
    chunk({}, finished),
    { ...head, choices: [], usage },
  ]
}

function sourceOf(chunks: readonly Members[], tokensPerSecond: number | null, stop: Stop<EndedBy>): EventSource {
  let at = 0
  let isOver = false
  return {
    bytes: () => 0,
    abort: () => {
      isOver = true
    },
    next: async () => {
      if (isOver) throw new UpstreamTrouble({ kind: 'cut' })
      if (tokensPerSecond !== null && at > 0) await wait(1_000 / tokensPerSecond, stop)
      const chunk = chunks[at]
      at += 1
      return isMembers(chunk) ? chunk : null
    },
  }
}
