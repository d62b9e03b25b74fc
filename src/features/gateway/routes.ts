import { WRITES } from '../../access/principal.js'
import type { Members } from '../../core/chat/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { plainBytes, plainJson } from '../../http/response.js'
import { readCacheWish } from './cache/cache-wish.js'
import type { ChatRequest, Served } from './call.js'
import * as schema from './schema.js'
import { passedHeaders } from './serve/provider-requests.js'

export type ChatVerbs = {
  /** Finds who may answer a request, and serves it. */
  readonly chat: (request: ChatRequest) => Promise<Served>
  /** About how many tokens a request has. */
  readonly countTokens: (body: Members) => number
  readonly bodyBytesMax: number
  readonly callMsMax: number
}

const tag = 'Gateway'
const EVENT_STREAM = 'text/event-stream'
const MESSAGES = [{ role: 'user', content: 'Summarise: the service routes calls through aliases.' }]
const RECEIPT =
  'With `X-LLMRing-Receipt: true` a receipt of what was seen is issued, whose id stands in `X-LLMRing-Receipt-Id`. `X-LLMRing-Profile` names the profile of the alias. Every call leaves one usage row.'
const AGAIN =
  'With `temperature: 0`, or `X-LLM-Router-Cache: use`, an answer may be given again to an equal request of the project, or to one that asks the same in other words; `no-cache` there asks anew, `no-store` also keeps nothing, and `X-LLM-Router-Cache-TTL` says for how many seconds. The header `X-LLM-Router-Cache` of the answer is `HIT`, `SEMANTIC`, `MISS`, or `COALESCED` if it is that of an identical request that was under way.'
const PROBLEMS = [
  'upstream-refused',
  'upstream-failed',
  'upstream-unavailable',
  'model-not-found',
  'receipts-not-configured',
] as const
const STREAM_HEADERS = { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' }

const commonOf = ({ bodyBytesMax, callMsMax: responseMsMax }: ChatVerbs) =>
  ({ method: 'post', tag, access: WRITES, bodyBytesMax, passesBody: true, responseMsMax, direct: true }) as const

export function mountChat(app: App, guards: Guards, verbs: ChatVerbs): void {
  mount(app, guards, {
    ...commonOf(verbs),
    path: '/v1/chat/completions',
    operationId: 'createChatCompletion',
    summary: 'Answer a chat as OpenAI would',
    description: `Any backend may answer, whichever language it speaks. ${RECEIPT} ${AGAIN}`,
    problems: PROBLEMS,
    body: schema.ChatBody,
    errorShape: 'openai',
    bodyExample: { model: 'auto', messages: MESSAGES },
    responses: {
      200: {
        description: 'The answer; with `stream: true` its events, and `[DONE]` at the end of one that is whole.',
        schema: schema.ChatCompletion,
        contentType: ['application/json', EVENT_STREAM],
      },
    },
    handle: async (request) => {
      const { model, stream_options: options } = request.body
      const wantsUsage = options?.include_usage === true
      return respond(await verbs.chat({ ...requestOf(request), surface: 'openai', wantsUsage, requestedModel: model }))
    },
  })
}

export function mountMessages(app: App, guards: Guards, verbs: ChatVerbs): void {
  mount(app, guards, {
    ...commonOf(verbs),
    path: '/v1/messages',
    operationId: 'createMessage',
    summary: 'Answer a chat as Anthropic would',
    description: `Any backend may answer, whichever language it speaks. ${RECEIPT} ${AGAIN}`,
    problems: PROBLEMS,
    body: schema.MessagesBody,
    errorShape: 'anthropic',
    bodyExample: { model: 'auto', max_tokens: 256, messages: MESSAGES },
    responses: {
      200: {
        description: 'The answer; with `stream: true` its events, and `message_stop` at the end of one that is whole.',
        schema: schema.Message,
        contentType: ['application/json', EVENT_STREAM],
      },
    },
    handle: async (request) => {
      const { model: requestedModel } = request.body
      return respond(
        await verbs.chat({ ...requestOf(request), surface: 'anthropic', wantsUsage: true, requestedModel }),
      )
    },
  })
}

/** Beside the others, since it calls no model. */
export function mountCountTokens(app: App, guards: Guards, { countTokens, bodyBytesMax }: ChatVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/v1/messages/count_tokens',
    tag,
    operationId: 'countMessageTokens',
    summary: 'Estimate the tokens of a chat',
    description: 'Counted here, in one pass over the text: about what any model would count. No model is called.',
    access: WRITES,
    body: schema.CountBody,
    bodyBytesMax,
    passesBody: true,
    errorShape: 'anthropic',
    bodyExample: { model: 'auto', messages: MESSAGES },
    responses: { 200: { description: 'The estimate.', schema: schema.TokenCount } },
    handle: ({ body }) => plainJson({ input_tokens: countTokens(body) }),
  })
}

type Incoming = {
  readonly principal: Pick<ChatRequest, 'projectId' | 'keyId'>
  readonly body: object
  readonly header: (name: string) => string | undefined
  readonly signal: () => AbortSignal
  readonly park: () => void
}

/** What both surfaces read of a request. From here on it waits for an upstream, and is not counted as slow. */
function requestOf({ principal: { projectId, keyId }, body, header, signal, park }: Incoming) {
  park()
  return {
    projectId,
    keyId,
    body: body as Members,
    signal: signal(),
    passedHeaders: passedHeaders(header),
    traceparent: header('traceparent'),
    isStream: 'stream' in body && body.stream === true,
    cacheWish: readCacheWish(header),
    profile: header('x-llmring-profile')?.trim() || schema.DEFAULT_PROFILE,
    wantsReceipt: header('x-llmring-receipt')?.trim().toLowerCase() === 'true',
  }
}

function respond({ answer, headers }: Served) {
  if (answer.kind === 'stream') return { chunks: answer.frames, headers: { ...STREAM_HEADERS, ...headers } }
  return plainBytes(answer.body, { 'Content-Type': 'application/json', ...headers })
}
