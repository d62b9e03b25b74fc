import { APPENDS_USAGE } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { JSON_HEADERS, plainBytes } from '../../../http/response.js'
import { USAGE_LIMITS } from '../limits.js'
import * as schema from '../schema.js'
import { BatchBody, LoggedBatch as LoggedBatchSchema } from './batch-schema.js'
import { readIdempotencyKey } from './idempotency-key.js'
import type { BatchInput, LoggedBatch } from './log-batch.js'
import type { LogInput } from './log-event.js'
import { readPlainEvent } from './sent-event.js'

export type LogVerbs = {
  readonly log: (input: LogInput) => Promise<string>
  readonly logBatch: (input: BatchInput) => Promise<LoggedBatch>
}

const tag = 'Usage'
const EVENT = {
  provider: 'openai',
  model: 'gpt-4o-mini',
  input_tokens: 1200,
  output_tokens: 340,
  cached_input_tokens: 200,
  alias: 'summarizer',
  latency_ms: 812,
  origin: 'nightly-report',
  metadata: { run: 17 },
}
const KEYS =
  'With `Idempotency-Key` (or `idempotency_key` in the event, never both) it may be sent again: what was recorded is answered as before and counted once; another body with the same key is 422.'

export function mountLog(app: App, guards: Guards, verbs: LogVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/api/v1/log',
    tag,
    operationId: 'logUsage',
    summary: 'Record one call of a model',
    description: `Answered after the commit. A cost that is sent is the cost; the computed one stands beside it. ${KEYS}`,
    access: APPENDS_USAGE,
    problems: ['idempotency-key-reused'],
    body: schema.LogBody,
    plainBody: readPlainEvent,
    bodyBytesMax: USAGE_LIMITS.bodyBytesMax,
    bodyGzip: true,
    bodyExample: EVENT,
    responses: { 200: { description: 'Recorded.', schema: schema.Logged } },
    direct: true,
    handle: async ({ principal: { projectId, keyId }, body: sent, header }) =>
      plainBytes(await verbs.log({ projectId, keyId, sent, headerKey: readIdempotencyKey(header) })),
  })
}

export function mountBatch(app: App, guards: Guards, verbs: LogVerbs): void {
  const { batchItemsMax: itemsMax, bodyBytesMax: itemBytesMax } = USAGE_LIMITS
  mount(app, guards, {
    method: 'post',
    path: '/api/v1/log/batch',
    tag,
    operationId: 'logUsageBatch',
    summary: `Record up to ${itemsMax} calls of models`,
    description: `A JSON array, or one event a line (NDJSON). Each event has its own result, in their order: one that is refused does not concern the others. What the answer calls recorded is committed. A line that is cut off is refused alone; a damaged gzip or an array that is not JSON is refused whole. ${KEYS} The header stands for the whole batch: what an interruption left out is recorded when it is sent again.`,
    access: APPENDS_USAGE,
    problems: ['idempotency-key-reused'],
    body: BatchBody,
    bodyBytesMax: USAGE_LIMITS.batchBodyBytesCeiling,
    bodyItems: { schema: schema.LogBody, plain: readPlainEvent, itemsMax, itemBytesMax, each: true },
    bodyKinds: ['json', 'ndjson'],
    bodyGzip: true,
    bodyExample: [EVENT, { ...EVENT, timestamp: '2026-01-31T12:00:00Z', idempotency_key: 'run-17/2' }],
    responses: { 200: { description: 'What became of each event.', schema: LoggedBatchSchema } },
    handle: async ({ principal: { projectId, keyId }, body: items, header }) => {
      const input = { projectId, keyId, items, headerKey: readIdempotencyKey(header) }
      const { parts, retryAfterSeconds } = await verbs.logBatch(input)
      const retry = retryAfterSeconds === null ? {} : { 'Retry-After': String(retryAfterSeconds) }
      return plainBytes(parts.join(''), { ...JSON_HEADERS, ...retry })
    },
  })
}
