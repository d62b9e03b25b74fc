import type postgres from 'postgres'
import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import type { LogPosition } from '../store.js'
import type { LogFilter } from './log-filter.js'
import { matching } from './log-store.js'

type DownloadQuery = {
  readonly period: Period
  readonly filter: LogFilter
  /** The row to go on behind. */
  readonly behind: LogPosition | null
  /** The last row, if it is known; never of a filtered download. */
  readonly until: LogPosition | null
  readonly rowsMax: number
  /** A first row that is larger is a page of its own. */
  readonly bytesMax: number
  /** Whether the JSON columns are strings in the lines. */
  readonly withTexts: boolean
}
export type DownloadPage = {
  /** JSON objects, a line each, without a line feed at the end. */
  readonly lines: Buffer
  readonly count: number
  /** Where the next page begins. */
  readonly behind: LogPosition | null
  readonly isLast: boolean
}
export type ReadDownloadPage = (projectId: ProjectId, query: DownloadQuery) => Promise<DownloadPage>
/** Where so many rows end, or null if there are fewer. */
export type FindDownloadEnd = (
  projectId: ProjectId,
  stretch: Pick<DownloadQuery, 'period' | 'behind'>,
  rows: number,
) => Promise<LogPosition | null>

/**
 * A page of events, oldest first, rendered by Postgres and handed on as it comes: row objects in this process would
 * cost several times as much (6 us of CPU a row there, 1 us here). At most `exportScanRowsMax` rows are looked at, so
 * that a filter which nothing matches does not make one endless statement.
 */
export function createDownloadPages(sql: Sql): ReadDownloadPage {
  return async (projectId, query) => {
    const { behind, until } = query
    const within = withinOf(sql, projectId, query)
    const isFiltered = Object.values(query.filter).some((value) => value !== undefined)
    const { lines, count, rowsTaken } = await readThatFit(sql, within, query)
    if (count === rowsTaken) return { lines, count, behind: positionOf(lines), isLast: false }
    if (until !== null) return { lines, count, behind: until, isLast: false }
    const scanned = isFiltered ? await rowAt(sql, within, USAGE_LIMITS.exportScanRowsMax) : null
    const last = count > 0 ? positionOf(lines) : behind
    return { lines, count, behind: scanned === null ? last : laterOf(scanned, last), isLast: scanned === null }
  }
}

export function createDownloadEnds(sql: Sql): FindDownloadEnd {
  return (projectId, stretch, rows) => rowAt(sql, withinOf(sql, projectId, { ...stretch, until: null }), rows)
}

type Fragment = postgres.PendingQuery<postgres.Row[]>

function withinOf(
  sql: Sql,
  projectId: ProjectId,
  { period, behind, until }: Pick<DownloadQuery, 'period' | 'behind' | 'until'>,
): Fragment {
  // The time alone, too: so no month that is read already is planned with again.
  const fromMs = behind === null ? period.fromMs : Math.max(period.fromMs, Date.parse(behind.loggedAt))
  const place = ({ loggedAt, id }: LogPosition) => sql`(${loggedAt}::text::timestamptz, ${id}::uuid)`
  return sql`project_id = ${projectId} and logged_at >= to_timestamp(${fromMs}::float8 / 1000)
    and logged_at < to_timestamp(${period.untilMs}::float8 / 1000)
    ${behind === null ? sql`` : sql`and (logged_at, id) > ${place(behind)}`}
    ${until === null ? sql`` : sql`and (logged_at, id) <= ${place(until)}`}`
}

type Lines = { readonly lines: Buffer; readonly count: number }

/** The lines of so many rows as fit into a page: fewer are asked for until they do. */
async function readThatFit(
  sql: Sql,
  within: Fragment,
  query: DownloadQuery,
): Promise<Lines & { readonly rowsTaken: number }> {
  for (let rowsTaken = query.rowsMax; ; rowsTaken = Math.ceil(rowsTaken / 8)) {
    const found = await readLines(sql, within, query, rowsTaken)
    if (found !== null) return { ...found, rowsTaken }
  }
}

/** Null if they do not fit; a single row always does. */
async function readLines(
  sql: Sql,
  within: Fragment,
  { filter, bytesMax, withTexts }: DownloadQuery,
  rowsMax: number,
): Promise<Lines | null> {
  const text = withTexts ? sql`::text` : sql``
  const [row] = await sql`
    with found as (
      select * from (
        select * from usage_logs where ${within} order by logged_at, id limit ${USAGE_LIMITS.exportScanRowsMax}
      ) scanned where true ${matching(sql, filter)} order by logged_at, id limit ${rowsMax}
    ), lines as (
      select found.logged_at, found.id, row_to_json(member)::text as line from found, lateral (
        -- A microsecond more, and so always six decimals, of which three are cut off: a fifth of what to_char costs.
        select found.id, substr(to_json(logged_at at time zone 'UTC' + interval '1 microsecond')::text, 2, 23) || 'Z' as logged_at,
          provider, model, alias, profile, origin, id_at_origin, conversation_id, input_tokens, output_tokens,
          cached_input_tokens, cache_read_input_tokens, cache_write_5m_input_tokens, cache_write_1h_input_tokens,
          reasoning_tokens, input_tokens_include_cache, latency_ms, cost::float8 as cost, cost::text as cost_decimal,
          cost_status, computed_cost::text as computed_cost, reported_cost::text as reported_cost,
          registry_provider_version, unit_prices${text} as unit_prices, metadata${text} as metadata,
          earlier_prices -> -1 ->> 'cost' as previous_cost, repriced ->> 'cost' as repriced_cost,
          earlier_prices${text} as earlier_prices
      ) member
    ), page as (
      -- Each line is rendered once: a window over their lengths, or a second use of them, cost a fifth more and more.
      select string_agg(line, e'\n' order by logged_at, id) as text, count(*) as rows from lines
    )
    select case when rows <= 1 or octet_length(text) <= ${bytesMax} then text end, rows from page`.raw()
  const [lines, rows] = (row ?? []) as unknown as readonly (Buffer | null)[]
  const count = Number(rows)
  if (count > 0 && lines == null) return null
  return { lines: lines ?? Buffer.alloc(0), count }
}

/** Where so many rows end, or null if there are fewer. */
async function rowAt(sql: Sql, within: Fragment, rows: number): Promise<LogPosition | null> {
  const [row] = await sql<{ loggedAt: Date; id: string }[]>`
    select logged_at as "loggedAt", id from usage_logs where ${within} order by logged_at, id limit 1 offset ${rows - 1}`
  return row === undefined ? null : { loggedAt: row.loggedAt.toISOString(), id: row.id }
}

/** Rows that came into the stretch meanwhile make the last scanned one an earlier one. */
function laterOf(one: LogPosition, other: LogPosition | null): LogPosition {
  const isLater =
    other !== null && (other.loggedAt === one.loggedAt ? other.id > one.id : other.loggedAt > one.loggedAt)
  return isLater ? other : one
}

function positionOf(lines: Buffer): LogPosition {
  const last = JSON.parse(lines.subarray(lines.lastIndexOf('\n') + 1).toString()) as { logged_at: string; id: string }
  return { loggedAt: last.logged_at, id: last.id }
}
