import { COST_STATUSES } from '../event.js'

/** The kinds of tokens that are added up, each by its column in `usage_logs` and in `usage_rollups`. */
const TOKEN_SUMS = [
  ...['input_tokens', 'output_tokens', 'cached_input_tokens', 'cache_read_input_tokens'],
  ...['cache_write_5m_input_tokens', 'cache_write_1h_input_tokens', 'reasoning_tokens'],
]

/** Every column of `usage_rollups` that is added up. */
export const MEASURES: readonly string[] = ['requests', 'cost', ...TOKEN_SUMS, ...COST_STATUSES]

/** What a group of rows of `usage_logs` adds to each of them. */
export const OF_ROWS: Readonly<Record<string, string>> = Object.fromEntries([
  ['requests', 'count(*)'],
  ['cost', 'sum(cost)'],
  ...TOKEN_SUMS.map((name) => [name, `coalesce(sum(${name}), 0)`]),
  ...COST_STATUSES.map((name) => [name, `count(*) filter (where cost_status = '${name}')`]),
])

/** What an event is added up under. Names that are absent are `''`; `(other)` stands for too many. */
export const COMBO_NAMES = 'provider, model, alias, profile, origin, folded'

/** The quarter of an hour of a time. */
export const bucketOf = (time: string): string => `date_bin('15 minutes', ${time}, '1970-01-01 00:00:00+00')`

/**
 * The names of a row under which it is added up, and their hash; `folded` says whether it came beyond a limit, so that
 * alias and origin are `(other)`, and `whole` whether all names are.
 */
export function combinationOf(row: string, folded: string, whole = 'false'): string {
  const limited = (column: string, condition: string) =>
    condition === 'false'
      ? `coalesce(${row}.${column}, '')`
      : `case when ${condition} then '(other)' else coalesce(${row}.${column}, '') end`
  const [provider, model, profile] = [limited('provider', whole), limited('model', whole), limited('profile', whole)]
  const [alias, origin] = [limited('alias', folded), limited('origin', folded)]
  const names = [provider, model, alias, profile, origin, folded]
  const hash = `encode(sha256(convert_to(json_build_array(${names.join(', ')})::text, 'UTF8')), 'hex')`
  return `${provider} as provider, ${model} as model, ${alias} as alias, ${profile} as profile, ${origin} as origin,
    ${folded} as folded, substr(${hash}, 1, 32)::uuid as combo_id`
}

const KEY = 'project_id, grain, bucket, combo_id, shard'
const ADDED = MEASURES.map((name) => `${name} = usage_rollups.${name} + excluded.${name}`).join(', ')

/**
 * Adds sums to rollups. They are taken in the order of their keys: two that add to the same ones wait for each other and
 * never deadlock. `source` gives the columns of the key and the measures, grouped.
 */
export const addToRollups = (source: string): string => `
  insert into usage_rollups (${KEY}, ${MEASURES.join(', ')}) ${source} order by ${KEY}
  on conflict (${KEY}) do update set ${ADDED}`

/** A part of a WITH that keeps the names of combinations that are new. */
export const keepCombinations = (from: string): string => `combos as (
    insert into usage_combos (project_id, id, ${COMBO_NAMES})
    select distinct project_id, combo_id, ${COMBO_NAMES} from ${from} order by project_id, combo_id
    on conflict (project_id, id) do nothing
  )`

/**
 * Two parts of a WITH that add rows to the quarters of an hour in which they happened. `from` names rows with their
 * combination and bucket, `measures` is what they add.
 */
export function rollUp(from: string, shard: string, measures: Readonly<Record<string, string>>): string {
  const sums = MEASURES.map((name) => measures[name] ?? '0').join(', ')
  return `${keepCombinations(from)}, rolled as (${addToRollups(`
    select project_id, 'quarter' as grain, bucket, combo_id, ${shard} as shard, ${sums}
    from ${from} group by project_id, bucket, combo_id`)}
  )`
}
