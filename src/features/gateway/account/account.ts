import type { ChatUsage, ChatWire } from '../../../core/chat/index.js'
import { decimalFromPico, picoFromJsonNumber, type TokenCounts } from '../../../core/pricing/index.js'
import type { ChatCall } from '../call.js'
import type { Provider } from '../config/providers.js'

/** What is said of one call in its usage row. The port of the usage feature has this shape. */
export type ObservedCall = {
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly origin: string | null
  readonly tokens: TokenCounts
  readonly latencyMs: number
  readonly costPico: bigint | null
  readonly metadata: string
  /** Whether a response waits for the commit. */
  readonly isAwaited: boolean
}

/** What was recorded. */
export type RecordedCall = {
  readonly id: string
  readonly loggedAt: string
  readonly cost: string
  readonly status: string
  readonly registryVersion: string | null
  readonly unitPrices: Readonly<Record<string, string>> | null
}

/** Room for one row: taken before the call, used up or given back once. */
export type CallSlot = {
  record(call: ObservedCall): { readonly row: RecordedCall; readonly committed: Promise<void> }
  release(): void
}

/** How a call ended, for its row. `cancelled`: its caller left before the end. */
export type CallEnd = {
  readonly outcome: string
  readonly usage: ChatUsage
  /** Whether the counts are ours, because the upstream sent none. */
  readonly isEstimated: boolean
}

/** An attempt before the one that a call ended at, of which the upstream said what it used. */
export type FailedAttempt = {
  readonly provider: string
  readonly model: string
  readonly outcome: string
  readonly usage: ChatUsage
}

/** The backend that a call ended at. */
export type EndedAt = { readonly provider: Provider; readonly model: string }

/** How a call went until its end. */
type Course = Pick<ObservedCall, 'latencyMs' | 'isAwaited'> & {
  readonly attempts: number
  readonly failed: readonly FailedAttempt[]
}

/** The row of a call. */
export function observe(
  call: ChatCall,
  { provider, model }: EndedAt,
  { outcome, usage, isEstimated }: CallEnd,
  { attempts, failed, latencyMs, isAwaited }: Course,
): ObservedCall {
  const costPico = configuredCost(provider, model, usage)
  const saved = (call.dearest?.(usage) ?? 0n) - (costPico ?? 0n)
  const wire: ChatWire = provider.wire === 'anthropic' ? 'anthropic' : 'openai'
  return {
    provider: provider.name,
    model,
    alias: call.alias,
    profile: call.profile,
    origin: 'gateway',
    tokens: wire === 'openai' ? openAiCounts(usage) : anthropicCounts(usage),
    latencyMs,
    isAwaited,
    costPico,
    metadata: JSON.stringify({
      requested_model: call.requestedModel ?? null,
      outcome,
      attempts,
      stream: call.isStream,
      estimated: isEstimated,
      cache: 'MISS',
      ...(failed.length > 0 ? { failed_attempts: failed.map(showFailed) } : {}),
      ...(costPico !== null && saved > 0n ? { saved_cost: decimalFromPico(saved) } : {}),
    }),
  }
}

/** Tokens beside those of the row, which are of the backend that it names: no price is known to hold for a failure. */
const showFailed = ({ usage, ...at }: FailedAttempt) => ({
  ...at,
  input_tokens: usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h,
  output_tokens: usage.output,
})

/** The prompt counts what was cached, as the provider counts it and prices are written. */
const openAiCounts = ({ input, cacheRead, output, reasoning }: ChatUsage): TokenCounts => ({
  input_tokens: input + cacheRead,
  output_tokens: output,
  cached_input_tokens: cacheRead,
  reasoning_tokens: reasoning,
})

const anthropicCounts = ({ input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning }: ChatUsage) => ({
  input_tokens: input,
  output_tokens: output,
  cached_input_tokens: 0,
  cache_read_input_tokens: cacheRead,
  cache_write_5m_input_tokens: cacheWrite5m,
  cache_write_1h_input_tokens: cacheWrite1h,
  reasoning_tokens: reasoning,
})

/** What the configuration says that it cost; null if it says nothing, so that the registry's price holds. */
export function configuredCost(provider: Provider, model: string, usage: ChatUsage): bigint | null {
  const { costPerThousandIn, costPerThousandOut } = provider.models.get(model) ?? {}
  if (costPerThousandIn == null && costPerThousandOut == null) return null
  const { input, cacheRead, cacheWrite5m, cacheWrite1h, output } = usage
  const read = BigInt(input + cacheRead + cacheWrite5m + cacheWrite1h)
  const thousandfold = read * picoPer(costPerThousandIn ?? 0) + BigInt(output) * picoPer(costPerThousandOut ?? 0)
  return (thousandfold + 500n) / 1_000n
}

function picoPer(usd: number): bigint {
  const read = picoFromJsonNumber(usd)
  return read.ok ? read.pico : 0n
}
