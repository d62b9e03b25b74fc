import type { JsonObject } from '../json/index.js'
import type { IssueContext } from './build-receipt.js'

/** Calls, US dollars with 12 places, and tokens of all that share a name. */
export type CertifiedPart = { readonly calls: number; readonly cost: string; readonly tokens: number }

/** What a batch receipt says of its members, and the root that commits to each of them. */
export type BatchContent = {
  readonly count: number
  /** `sha256:` and 64 hex digits. */
  readonly membersRoot: string
  /** All of them, where they are few. */
  readonly logIds: readonly string[] | null
  /** Sums of the counts that are known. */
  readonly tokens: Readonly<Record<string, number>>
  readonly cost: string
  /** Members whose cost is not known and counts as 0. */
  readonly unpriced: number
  /** When the first and the last of them were logged. */
  readonly startDate: string
  readonly endDate: string
  readonly byModel: Readonly<Record<string, CertifiedPart>>
  readonly byAlias: Readonly<Record<string, CertifiedPart>>
  readonly registryVersion: string
  /** What the one member says of itself; null for several. */
  readonly single: {
    readonly provider: string
    readonly model: string
    readonly alias: string | null
    readonly profile: string | null
  } | null
  readonly description: string | null
  readonly tags: readonly string[] | null
}

/**
 * The receipt over logged calls, to be placed and signed: the nested shape, with the summary inside the signature.
 * Every number is an integer, money a decimal string.
 */
export function buildBatchReceipt(content: BatchContent, context: IssueContext): JsonObject {
  const { count, single, tokens, cost, description, tags, logIds } = content
  return {
    id: context.id,
    timestamp: context.now.toISOString(),
    issuer: context.issuer,
    project: context.project,
    registry_version: content.registryVersion,
    ...(single === null ? {} : { provider: single.provider }),
    model: single?.model ?? `batch:${count} calls`,
    alias: single === null ? 'batch' : (single.alias ?? ''),
    profile: single?.profile ?? 'default',
    lock_digest: '',
    tokens: { ...tokens },
    cost: { amount: cost, calculation: `sum of the costs of ${count} logged calls`, currency: 'USD' },
    evidence: 'client_reported',
    receipt_type: single === null ? 'batch' : 'single',
    batch_summary: {
      ...{ total_conversations: 0, total_calls: count, unpriced_calls: content.unpriced },
      ...{ total_tokens: (tokens['input'] ?? 0) + (tokens['output'] ?? 0), total_cost: cost },
      ...{ start_date: content.startDate, end_date: content.endDate },
      ...{ by_model: plain(content.byModel), by_alias: plain(content.byAlias) },
    },
    usage: {
      ...(logIds === null ? {} : { log_ids: [...logIds] }),
      ...{ members_root: content.membersRoot, count },
    },
    ...(description === null ? {} : { description }),
    ...(tags === null ? {} : { tags: [...tags] }),
    log: { ...context.log },
    key_id: context.keyId,
  }
}

function plain(parts: Readonly<Record<string, CertifiedPart>>): JsonObject {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...part }]))
}
