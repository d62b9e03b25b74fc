import type { ProjectId } from '../../../access/principal.js'
import type { UsageMember } from '../../../core/proof/index.js'
import type { Tx } from '../../../db/transact.js'

/** A call as it was logged, out of another feature. The time has whole milliseconds. */
export type LoggedUsage = {
  readonly id: string
  readonly loggedAt: Date
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly cachedInputTokens: number | null
  readonly cacheReadInputTokens: number | null
  readonly cacheWrite5mInputTokens: number | null
  readonly cacheWrite1hInputTokens: number | null
  readonly reasoningTokens: number | null
  /** US dollars with 12 places. */
  readonly cost: string
  readonly costStatus: string
  readonly registryProviderVersion: string | null
}

/** In milliseconds since the epoch, the end left out. */
export type Period = { readonly fromMs: number; readonly untilMs: number }
type PeriodResult =
  | { readonly ok: true; readonly period: Period }
  | { readonly ok: false; readonly field: 'start_date' | 'end_date'; readonly message: string }

type UsagePageQuery = {
  readonly period: Period
  readonly newestFirst: boolean
  /** Calls that came to this service before are left out, by its own clock; null: none is. */
  readonly arrivedFromMs: number | null
  /** The row to go on behind: RFC 3339 with milliseconds, and the id. */
  readonly after: { readonly loggedAt: string; readonly id: string } | null
  readonly rowsMax: number
}

/** What batch receipts need of the feature that logs calls. */
export type UsageLogs = {
  /** How long after its time a call may still be logged. */
  readonly lateMsMax: number
  /** How far the time of a call may be ahead of that at which it was logged. */
  readonly leadMsMax: number
  /** At most `rowsMax` rows of a project in the order of their times. Fewer: there are no more. */
  readonly page: (projectId: ProjectId, query: UsagePageQuery) => Promise<readonly LoggedUsage[]>
  /** Those of a project's rows that are there, in any order. */
  readonly find: (projectId: ProjectId, ids: readonly string[]) => Promise<readonly LoggedUsage[]>
  /**
   * Whether these rows still cost what was read of them. Until the transaction ends they do: what it certifies does not
   * change behind its back.
   */
  readonly isStill: (tx: Tx, projectId: ProjectId, rows: readonly LoggedUsage[]) => Promise<boolean>
  /** The period between two texts, both included, as all lists of calls read them. */
  readonly readPeriod: (text: { readonly start: string; readonly end: string }) => PeriodResult
}

/** A row whose price is still to come. */
export const isWaiting = ({ costStatus }: LoggedUsage): boolean => costStatus === 'no_registry'

/** A row whose cost is not known: it counts as 0. */
export const isUnpriced = ({ costStatus }: LoggedUsage): boolean =>
  costStatus === 'unknown_model' || costStatus === 'no_price'

/** The row as a receipt certifies it. */
export function memberOf(row: LoggedUsage): UsageMember {
  return {
    log_id: row.id,
    timestamp: row.loggedAt.toISOString(),
    ...{ provider: row.provider, model: row.model, alias: row.alias, profile: row.profile },
    tokens: countsOf(row),
    ...{ cost: row.cost, cost_status: row.costStatus },
  }
}

/** The counts that are known. */
export function countsOf(row: LoggedUsage): Record<string, number> {
  const counts = {
    input: row.inputTokens,
    output: row.outputTokens,
    cached_input: row.cachedInputTokens,
    cache_read_input: row.cacheReadInputTokens,
    cache_write_5m_input: row.cacheWrite5mInputTokens,
    cache_write_1h_input: row.cacheWrite1hInputTokens,
    reasoning: row.reasoningTokens,
  }
  return Object.fromEntries(Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== null))
}
