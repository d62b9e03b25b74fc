import type postgres from 'postgres'
import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import type { LogPosition, StoredUsage } from '../store.js'

/** What a certificate of a logged call is made of. */
export type CertifiableUsage = Pick<
  StoredUsage,
  | ('id' | 'loggedAt' | 'provider' | 'model' | 'alias' | 'profile' | 'cost' | 'costStatus' | 'registryProviderVersion')
  | ('inputTokens' | 'outputTokens' | 'cachedInputTokens' | 'cacheReadInputTokens' | 'reasoningTokens')
  | ('cacheWrite5mInputTokens' | 'cacheWrite1hInputTokens')
>

export type CertifiablePageQuery = {
  readonly period: Period
  readonly newestFirst: boolean
  readonly arrivedFromMs: number | null
  readonly after: LogPosition | null
  readonly rowsMax: number
}

/** What UUIDv7 (RFC 9562, 5.7) says of its own time: the 48 bits in front. */
const BORN_AT = /^([0-9a-f]{8})-([0-9a-f]{4})-7/

export function createCertifiableStore(sql: Sql) {
  const columns = sql`logged_at as "loggedAt", id, provider, model, alias, profile, input_tokens::float8 as "inputTokens",
    output_tokens::float8 as "outputTokens", cached_input_tokens::float8 as "cachedInputTokens",
    cache_read_input_tokens::float8 as "cacheReadInputTokens", reasoning_tokens::float8 as "reasoningTokens",
    cache_write_5m_input_tokens::float8 as "cacheWrite5mInputTokens",
    cache_write_1h_input_tokens::float8 as "cacheWrite1hInputTokens", cost::text as cost,
    cost_status as "costStatus", registry_provider_version as "registryProviderVersion"`
  const find = (projectId: ProjectId, wanted: postgres.PendingQuery<postgres.Row[]>) => sql<CertifiableUsage[]>`
    select ${columns} from usage_logs where project_id = ${projectId} and ${wanted}`

  return {
    /** How long after its time a call may still be logged. */
    lateMsMax: USAGE_LIMITS.pastDaysMax * 86_400_000,
    /** How far its time may be ahead. */
    leadMsMax: USAGE_LIMITS.futureMsMax,
    page: (
      projectId: ProjectId,
      { period, newestFirst, arrivedFromMs, after, rowsMax }: CertifiablePageQuery,
    ): Promise<readonly CertifiableUsage[]> => {
      const place = after === null ? sql`` : sql`(${after.loggedAt}::text::timestamptz, ${after.id}::uuid)`
      const beyond = newestFirst ? sql`and (logged_at, id) < ${place}` : sql`and (logged_at, id) > ${place}`
      // Ids are made when a call comes: the primary key holds them, so that those before are passed over in the index.
      const arrived = arrivedFromMs === null ? sql`` : sql`and id >= ${firstIdOf(arrivedFromMs)}::uuid`
      return find(
        projectId,
        sql`logged_at >= to_timestamp(${period.fromMs}::float8 / 1000)
          and logged_at < to_timestamp(${period.untilMs}::float8 / 1000) ${arrived} ${after === null ? sql`` : beyond}
          order by ${newestFirst ? sql`logged_at desc, id desc` : sql`logged_at, id`} limit ${rowsMax}`,
      )
    },

    /**
     * The project's rows of these ids, in any order. The key leads with the time, and an id that was made here tells
     * it: only for what is not found like that all partitions are asked.
     */
    find: async (projectId: ProjectId, ids: readonly string[]): Promise<readonly CertifiableUsage[]> => {
      const born = ids.flatMap((id) => {
        const [, high, low] = BORN_AT.exec(id) ?? []
        return high === undefined ? [] : [{ id, at: new Date(Number.parseInt(`${high}${low}`, 16)).toISOString() }]
      })
      const places = sql`select * from unnest(${arrayText(born.map(({ at }) => at))}::text::timestamptz[],
        ${arrayText(born.map(({ id }) => id))}::text::uuid[])`
      const found = born.length === 0 ? [] : await find(projectId, sql`(logged_at, id) in (${places})`)
      const known = new Set(found.map(({ id }) => id))
      const others = ids.filter((id) => !known.has(id))
      if (others.length === 0) return found
      return [...found, ...(await find(projectId, sql`id = any(${arrayText(others)}::text::uuid[])`))]
    },
  }
}

/** No id that is made at this time or later is lower. */
function firstIdOf(ms: number): string {
  const digits = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`
}
