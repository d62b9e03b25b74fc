import type { ProjectId } from '../../access/principal.js'
import { COMPUTED_COST_STATUSES, type TokenCounts, type TokenParts } from '../../core/pricing/index.js'

/** One call of a model, as a client reports it; already checked. Null is unknown or not given. */
export type UsageEvent = {
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly origin: string | null
  readonly idAtOrigin: string | null
  readonly conversationId: string | null
  /** As they were sent: what is recorded. */
  readonly tokens: TokenCounts
  /** The same, cut into parts that do not overlap: what is priced. */
  readonly parts: TokenParts
  readonly latencyMs: number | null
  /** The client's own cost, in pico-USD. */
  readonly reportedPico: bigint | null
  /** A JSON object as text, rendered once. */
  readonly metadata: string | null
}

/** An event with what it says of its own recording. */
export type SentEvent = {
  readonly event: UsageEvent
  readonly idempotencyKey: string | null
  /** When it happened, in milliseconds since the epoch; null: now. */
  readonly happenedMs: number | null
}

/**
 * What makes a row be written once: of the rows with the same key and item the first is kept, and its answer is given
 * again. `item` counts the events of a batch from 1; 0 is an event, or a whole batch, that has the key itself.
 */
export type UsageMark = {
  readonly key: string
  readonly item: number
  /** Hexadecimal, of all that the caller sent of the event: the same key with another one is a mistake. */
  readonly sha256: string
  /** The JSON text that the caller gets. */
  readonly answer: string
  /** When it came, RFC 3339: from here on the key is kept. */
  readonly markedAt: string
}

export const COST_STATUSES = ['reported', ...COMPUTED_COST_STATUSES, 'unknown_model', 'no_registry'] as const

/**
 * `reported`: the cost is the client's own. `priced`, `free`: computed and exact. The others: the cost is unknown and
 * recorded as 0; `no_registry` is priced later by itself.
 */
export type CostStatus = (typeof COST_STATUSES)[number]

/** What an event cost, in pico-USD, and why. */
export type EventCost = {
  readonly status: CostStatus
  readonly costPico: bigint
  readonly computedPico: bigint | null
  readonly reportedPico: bigint | null
  /** The provider file that was asked, `openai@7`. */
  readonly registryVersion: string | null
  /** The prices used, by the registry's own field name: USD per million tokens. */
  readonly unitPrices: Readonly<Record<string, string>> | null
}

/** An event on its way into the database. Money is US dollars with 12 places. */
export type UsageRow = {
  readonly projectId: ProjectId
  readonly keyId: string | null
  readonly id: string
  /** RFC 3339 in UTC with milliseconds. */
  readonly loggedAt: string
  readonly event: UsageEvent
  readonly cost: string
  readonly computedCost: string | null
  readonly reportedCost: string | null
  readonly status: CostStatus
  readonly registryVersion: string | null
  readonly unitPrices: Readonly<Record<string, string>> | null
  readonly mark?: UsageMark | undefined
}
