import type { ChatCall } from '../call.js'
import type { CallSlot, ObservedCall } from './account.js'

/** Something that is over, as the tracer of the platform takes it. */
type CallSpan = {
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly isError: boolean
  readonly parent: string | undefined
}
export type TellSpan = (span: CallSpan) => void

type KeepRoom = (call: ChatCall) => CallSlot

/**
 * The same room for rows; each row that goes in is told as a span, too: one of each call, with what its row says. Names of
 * attributes are those of OpenTelemetry's conventions for generative AI where it has one. Nothing of a prompt or an answer is in it.
 */
export function tracedRoom(keepRoom: KeepRoom, tell: TellSpan, nowMs: () => number): KeepRoom {
  return (call) => {
    const slot = keepRoom(call)
    return {
      release: () => slot.release(),
      record: (observed) => {
        const recorded = slot.record(observed)
        tell(spanOf(call, observed, recorded.row.id, nowMs()))
        return recorded
      },
    }
  }
}

type Said = { requested_model: string | null; outcome: string; attempts: number; stream: boolean; cache: string }

function spanOf(call: ChatCall, observed: ObservedCall, rowId: string, endMs: number): CallSpan {
  const { provider, model, alias, profile, tokens, latencyMs } = observed
  const { requested_model: asked, outcome, attempts, stream, cache } = JSON.parse(observed.metadata) as Said
  const isError = outcome !== 'answered' && outcome !== 'cancelled'
  return {
    name: `chat ${model}`,
    startMs: endMs - latencyMs,
    endMs,
    isError,
    parent: call.traceparent,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': asked ?? model,
      'gen_ai.response.model': model,
      'gen_ai.usage.input_tokens': inputOf(tokens),
      'gen_ai.usage.output_tokens': tokens.output_tokens ?? 0,
      'llmring.project_id': call.projectId,
      'llmring.usage_log_id': rowId,
      ...(alias === null ? {} : { 'llmring.alias': alias }),
      ...(profile === null ? {} : { 'llmring.profile': profile }),
      'llmring.outcome': outcome,
      'llmring.attempts': attempts,
      'llmring.cache': cache,
      'llmring.stream': stream,
      ...(isError ? { 'error.type': outcome } : {}),
    },
  }
}

/** With what came out of a cache of the provider, and went into it. */
const inputOf = (tokens: ObservedCall['tokens']): number =>
  (tokens.input_tokens ?? 0) +
  (tokens.cache_read_input_tokens ?? 0) +
  (tokens.cache_write_5m_input_tokens ?? 0) +
  (tokens.cache_write_1h_input_tokens ?? 0)
