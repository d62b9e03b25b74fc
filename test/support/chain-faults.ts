import { createHash } from 'node:crypto'
import type { Sql } from '../../src/db/client.js'

type Row = {
  readonly project: string
  readonly id: string | null
  readonly seq: number | null
  readonly entry: string
  readonly text: string | null
}
type Issued = { readonly seq: number; readonly prev: string | null; readonly issued_at: string }

/**
 * What is wrong with the chains of receipts in a database, in sentences: a place that is missing or there twice, a link
 * that leads elsewhere, a time before that of the one before, a head that is not the last one, a receipt that the log
 * does not hold exactly once.
 */
export async function faultsInChains(sql: Sql): Promise<string[]> {
  const rows = await sql<Row[]>`
    select project_id as project, id, seq::float8 as seq, encode(entry, 'hex') as entry,
      convert_from(canonical, 'UTF8') as text from receipts
    union all
    select project_id, null, seq::float8, encode(entry, 'hex'), null from receipt_erasures
    order by 1, 3`
  const projects = new Map<string, Row[]>()
  for (const row of rows) projects.set(row.project, [...(projects.get(row.project) ?? []), row])
  const inChains = [...projects].flatMap(([project, of]) =>
    faultsInChain(of.filter(({ seq }) => seq !== null)).map((fault) => `project ${project}: ${fault}`),
  )
  const wrongEntries = rows.filter(({ text, entry }) => text !== null && sha256(text) !== entry)
  return [
    ...inChains,
    ...wrongEntries.map(({ id }) => `the entry of ${id} is not its digest`),
    ...(await faultsInHeads(sql, projects)),
    ...(await faultsInLog(sql, rows)),
  ]
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

type Before = { readonly entry: string; readonly issuedAt: string }

function faultsInChain(chain: readonly Row[]): string[] {
  const faults: string[] = []
  let before: Before | null = null as Before | null
  for (const [at, { seq, text, entry }] of chain.entries()) {
    if (seq !== at + 1) return [...faults, `${at + 1} is followed by ${seq}`]
    const issued = text === null ? null : (JSON.parse(text) as Issued)
    const prev = before === null ? null : `sha256:${before.entry}`
    if (issued !== null && issued.seq !== seq) faults.push(`the receipt at ${seq} says ${issued.seq}`)
    if (issued !== null && issued.prev !== prev) faults.push(`${seq} does not lead to the one before it`)
    if (issued !== null && before !== null && issued.issued_at < before.issuedAt) faults.push(`${seq} is too early`)
    before = { entry, issuedAt: issued?.issued_at ?? before?.issuedAt ?? '' }
  }
  return faults
}

async function faultsInHeads(sql: Sql, projects: ReadonlyMap<string, readonly Row[]>): Promise<string[]> {
  const heads = await sql<{ project: string; seq: number; entry: string | null }[]>`
    select project_id as project, last_seq::float8 as seq, encode(last_entry, 'hex') as entry from receipt_chains`
  return heads.flatMap(({ project, seq, entry }) => {
    const last = projects.get(project)?.findLast((row) => row.seq !== null)
    return seq === (last?.seq ?? 0) && entry === (last?.entry ?? null)
      ? []
      : [`the head of project ${project} says ${seq}, and its last receipt is ${last?.seq ?? 'not there'}`]
  })
}

async function faultsInLog(sql: Sql, rows: readonly Row[]): Promise<string[]> {
  const logged = await sql<{ entry: string; times: number }[]>`
    select encode(entry, 'hex') as entry, count(*)::int as times
    from (select entry from log_pending union all select entry from log_entries) as leaves group by entry`
  const times = new Map(logged.map((leaf) => [leaf.entry, leaf.times]))
  return rows.flatMap(({ id, seq, entry }) =>
    times.get(entry) === 1 ? [] : [`${id ?? seq} is in the log ${times.get(entry) ?? 0} times`],
  )
}
