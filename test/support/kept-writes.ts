import type { Sql } from '../../src/db/client.js'
import { bulkNames, type Kind, type Outcome } from './mixed-load.js'

/**
 * What is wrong with what the database holds, compared with what was answered, in sentences: an answered write that is
 * missing or there twice, a refused one that is there twice, a write of which only a part is there.
 */
export async function faultsInWrites(sql: Sql, outcomes: readonly Outcome[]): Promise<string[]> {
  const of = (...kinds: Kind[]) => outcomes.filter(({ kind }) => kinds.includes(kind))
  return [
    ...(await faultsInUsage(sql, of('log', 'settle'))),
    ...(await faultsInRollups(sql)),
    ...(await faultsInBindings(sql, of('bind', 'unbind'))),
    ...(await faultsInBulks(sql, of('bulk'))),
    ...(await faultsInReceipts(sql, of('issue'))),
    ...(await faultsInHeads(sql)),
    ...(await faultsInProjects(sql)),
  ]
}

async function faultsInUsage(sql: Sql, outcomes: readonly Outcome[]): Promise<string[]> {
  const rows = await sql<{ sent: string; ids: string[] }[]>`
    select id_at_origin as sent, json_agg(id) as ids from usage_logs group by 1`
  const stored = new Map(rows.map(({ sent, ids }) => [sent, ids]))
  return outcomes.flatMap(({ kind, sent, status, text }) => {
    const ids = stored.get(sent) ?? []
    if (ids.length > 1) return [`${kind} ${sent} is there ${ids.length} times (${status})`]
    if (status !== 200) return []
    const { log_id: id } = JSON.parse(text) as { log_id: string }
    return ids[0] === id ? [] : [`${kind} ${sent} was answered and is ${ids.length === 0 ? 'missing' : 'another one'}`]
  })
}

/** The sums of a project, in each of their grains, were written by the same statements as what they add up. */
export async function faultsInRollups(sql: Sql): Promise<string[]> {
  const rows = await sql<{ project: string; grain: string; summed: string; recorded: string }[]>`
    with grains (grain) as (values ('quarter'), ('hour'), ('day')), summed as (
      select project_id, grains.grain, sum(requests) as requests, sum(cost) as cost, sum(input_tokens) as tokens
      from usage_rollups as one join grains on shard <> 0 or one.grain = grains.grain group by 1, 2
    ), recorded as (
      select project_id, grain, count(*) as requests, sum(cost) as cost, coalesce(sum(input_tokens), 0) as tokens
      from usage_logs cross join grains group by 1, 2
    )
    select coalesce(summed.project_id, recorded.project_id) as project, coalesce(summed.grain, recorded.grain) as grain,
      row_to_json(summed)::text as summed, row_to_json(recorded)::text as recorded
    from summed full join recorded on recorded.project_id = summed.project_id and recorded.grain = summed.grain
    where (summed.requests, summed.cost, summed.tokens) is distinct from (recorded.requests, recorded.cost, recorded.tokens)`
  return rows.map(({ project, grain, summed, recorded }) => `${grain}s of ${project}: ${summed}, not ${recorded}`)
}

/** A binding is a row and its history; deleting it takes the row and adds to the history. */
async function faultsInBindings(sql: Sql, outcomes: readonly Outcome[]): Promise<string[]> {
  const actions = await historyOf(sql)
  const rows = await sql<{ alias: string }[]>`select alias from aliases`
  const present = new Set(rows.map(({ alias }) => alias))
  const answered = { bind: new Set<string>(), unbind: new Set<string>() }
  for (const { kind, sent, status } of outcomes) if (status === 200) answered[kind as 'bind' | 'unbind'].add(sent)
  return [...new Set(outcomes.map(({ sent }) => sent))].flatMap((sent) => {
    const history = (actions.get(sent) ?? []).join(' ')
    const expected = present.has(sent) ? ['set'] : answered.bind.has(sent) ? ['set delete'] : ['', 'set delete']
    if (!expected.includes(history)) return [`bind ${sent}: '${history}' instead of '${expected.join("' or '")}'`]
    return answered.unbind.has(sent) && present.has(sent) ? [`unbind ${sent} was answered and is there`] : []
  })
}

async function faultsInBulks(sql: Sql, outcomes: readonly Outcome[]): Promise<string[]> {
  const actions = await historyOf(sql)
  const rows = await sql<{ alias: string; revision: string }[]>`select alias, revision::text from aliases`
  const revisions = new Map(rows.map(({ alias, revision }) => [alias, revision]))
  return outcomes.flatMap(({ sent, status }) => {
    const names = bulkNames(sent)
    const there = names.filter((name) => revisions.has(name) && actions.get(name)?.join(' ') === 'set')
    const whole = there.length === names.length && new Set(there.map((name) => revisions.get(name))).size === 1
    const none = names.every((name) => !revisions.has(name) && !actions.has(name))
    return whole || (none && status !== 200) ? [] : [`bulk ${sent}: ${there.length} of ${names.length} (${status})`]
  })
}

async function historyOf(sql: Sql): Promise<Map<string, string[]>> {
  const rows = await sql<{ alias: string; actions: string[] }[]>`
    select alias, json_agg(action order by revision) as actions from alias_history group by 1`
  return new Map(rows.map(({ alias, actions }) => [alias, actions]))
}

async function faultsInReceipts(sql: Sql, outcomes: readonly Outcome[]): Promise<string[]> {
  const rows = await sql<
    { id: string; text: string }[]
  >`select id, convert_from(canonical, 'UTF8') as text from receipts`
  const stored = new Map(rows.map(({ id, text }) => [id, text]))
  return outcomes.flatMap(({ sent, status, text }) =>
    status !== 200 || stored.get(sent) === text ? [] : [`issue ${sent} was answered and is not what is kept`],
  )
}

/** The counters of a project were written by the same transactions as what they count. */
async function faultsInHeads(sql: Sql): Promise<string[]> {
  const rows = await sql<{ project: string }[]>`
    select project_id as project from alias_heads as head
    where alias_count <> (select count(*) from aliases where aliases.project_id = head.project_id)
      or revision <> (select count(distinct revision) from alias_history where alias_history.project_id = head.project_id)
      or revision <> (select max(revision) from alias_history where alias_history.project_id = head.project_id)`
  return rows.map(({ project }) => `the counters of project ${project} are not what they count`)
}

async function faultsInProjects(sql: Sql): Promise<string[]> {
  const rows = await sql<{ project: string }[]>`
    select coalesce(projects.id, project_keys.project_id) as project
    from projects full join project_keys on project_keys.project_id = projects.id
    where projects.id is null or project_keys.id is null`
  return rows.map(({ project }) => `project ${project} is half there`)
}
