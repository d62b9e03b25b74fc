import { WRITES } from '../../access/principal.js'
import type { Members } from '../../core/chat/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { plainBytes } from '../../http/response.js'
import type { ChatCall, Served } from './call.js'
import * as schema from './schema.js'

export type GatewayVerbs = {
  /** Finds who may answer a request, and serves it. */
  readonly chat: (call: Omit<ChatCall, 'alias'>) => Promise<Served>
  readonly bodyBytesMax: number
  readonly callMsMax: number
}

const tag = 'Gateway'
const EVENT_STREAM = 'text/event-stream'
const MESSAGES = [{ role: 'user', content: 'Summarise: the service routes calls through aliases.' }]

export function mountGateway(app: App, guards: Guards, verbs: GatewayVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/v1/chat/completions',
    tag,
    operationId: 'createChatCompletion',
    summary: 'Answer a chat as OpenAI would',
    description:
      'Any backend may answer, whichever language it speaks. With `X-LLMRing-Receipt: true` a receipt is issued, whose id stands in `X-LLMRing-Receipt-Id`. Every call leaves a usage row.',
    access: WRITES,
    problems: ['upstream-refused', 'upstream-failed', 'upstream-unavailable', 'model-not-found'],
    body: schema.ChatBody,
    bodyBytesMax: verbs.bodyBytesMax,
    passesBody: true,
    errorShape: 'openai',
    responseMsMax: verbs.callMsMax,
    bodyExample: { model: 'summarizer', messages: MESSAGES },
    responses: {
      200: {
        description: 'The answer; with `stream: true` its events, and `[DONE]` at the end of one that is whole.',
        schema: schema.ChatCompletion,
        contentType: ['application/json', EVENT_STREAM],
      },
    },
    handle: async ({ principal: { projectId, keyId }, body, header, signal, park }) => {
      park()
      const { model, stream, stream_options: options } = body
      return respond(
        await verbs.chat({
          ...{ projectId, keyId, surface: 'openai', body: body as Members, requestedModel: model },
          ...{ isStream: stream === true, wantsUsage: options?.include_usage === true, passedHeaders: {} },
          profile: header('x-llmring-profile') ?? 'default',
          wantsReceipt: header('x-llmring-receipt')?.toLowerCase() === 'true',
          signal: signal(),
        }),
      )
    },
  })
}

const STREAM_HEADERS = { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' }

function respond({ answer, headers }: Served) {
  if (answer.kind === 'stream') return { chunks: answer.frames, headers: { ...STREAM_HEADERS, ...headers } }
  return plainBytes(answer.body, { 'Content-Type': 'application/json', ...headers })
}
