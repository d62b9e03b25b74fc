/** Writing events: batches over HTTP beside COPY of the same rows, and single events beside a bare INSERT of each. */
import { randomUUID } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createClient, type Sql } from '../../src/db/client.js'
import { EVENT, fromRatio, headers, type Result, type Stage } from './experiments.js'
import { compare, median } from './pairs.js'
import { cpuSeconds, type Served, startBare, startBuilt } from './processes.js'

const BATCH_EVENTS = 5_000
const BATCHES = 4
const BATCHES_AT_ONCE = 2
const PAIRS = 7
const SINGLE_CONNECTIONS = 64

/**
 * Batches of 5,000 events as NDJSON, two at a time, against COPY of the very rows that they made: rendered before, over
 * one connection, into an empty table with the same columns and indexes.
 */
export async function writeBatches(stage: Stage): Promise<Result[]> {
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url })
  const sql = openSql(url)
  try {
    await sql.unsafe('create table copied (like usage_logs including all)')
    const results: Result[] = []
    for (const [hasKeys, least] of [
      [true, 0.25],
      [false, 0.35],
    ] as const) {
      await send(served, hasKeys)
      const pairs: Pair[] = []
      for (let turn = 0; turn < PAIRS; turn++) {
        pairs.push(await runPair(served, { sql, url }, hasKeys))
      }
      results.push(batchResult(hasKeys, least, pairs))
    }
    return results
  } finally {
    await sql.end()
    await served.stop()
  }
}

/** POST /api/v1/log, one event a request, against a server that parses the same body and inserts one row for each. */
export async function logBesideInserts(stage: Stage): Promise<Result> {
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url })
  const sql = openSql(url)
  await sql.unsafe('create table copied (like usage_logs including all)')
  await sql.end()
  const bare = await startBare('insert', url)
  const order = { method: 'POST' as const, headers, path: '/api/v1/log', body: JSON.stringify(EVENT), expect: 'log_id' }
  const ratio = await compare(stage.loads, { served, order }, { served: bare, order }, SINGLE_CONNECTIONS)
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio('log, one event a request, against a bare INSERT', 1.5, ratio, {})
}

const openSql = (url: string): Sql =>
  createClient({ url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false, statementMsMax: 0 })

type Copying = { readonly sql: Sql; readonly url: string }
type Pair = {
  readonly ratio: number
  readonly perSecond: number
  readonly baselinePerSecond: number
  /** CPU in microseconds an event, of the service, of its sessions in Postgres, and of the COPY there. */
  readonly serviceCpu: number
  readonly databaseCpu: number
  readonly baselineDatabaseCpu: number
}

async function runPair(served: Served, { sql, url }: Copying, hasKeys: boolean): Promise<Pair> {
  await sql.unsafe('truncate usage_logs; truncate copied')
  const bodies = Array.from({ length: BATCHES }, () => makeBatch(hasKeys))
  const events = BATCH_EVENTS * BATCHES
  const cpu = async () => ({ service: cpuSeconds(served.pid), database: await databaseCpu(sql) })
  const before = await cpu()
  const seconds = await sendAll(served, bodies)
  const after = await cpu()
  const copy = await copyRows({ sql, url }, events)
  const aRow = (used: number) => (used * 1e6) / events
  return {
    ...{ ratio: copy.seconds / seconds, perSecond: events / seconds, baselinePerSecond: events / copy.seconds },
    serviceCpu: aRow(after.service - before.service),
    databaseCpu: aRow(after.database - before.database),
    baselineDatabaseCpu: aRow(copy.cpu),
  }
}

const send = (served: Served, hasKeys: boolean) =>
  sendAll(
    served,
    Array.from({ length: BATCHES }, () => makeBatch(hasKeys)),
  )

/** Models that the registry has prices of. */
const MODELS = [
  'gpt-4o-mini',
  'gpt-4o',
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-4.1-nano',
  'o3',
  'o4-mini',
  'gpt-5',
  'gpt-5-mini',
  'gpt-5-nano',
]

/** 5,000 events as NDJSON: 10 models, 10 aliases and 5 origins, priced by the registry. */
function makeBatch(hasKeys: boolean): Buffer {
  const lines = Array.from({ length: BATCH_EVENTS }, (_, at) => {
    const names = { model: MODELS[at % MODELS.length], alias: `alias-${at % 10}`, origin: `origin-${at % 5}` }
    const key = hasKeys ? { idempotency_key: randomUUID() } : {}
    return `${JSON.stringify({ ...EVENT, ...names, input_tokens: 1200 + (at % 100), latency_ms: 1 + (at % 900), ...key })}\n`
  })
  return Buffer.from(lines.join(''))
}

/** The seconds that it takes. Throws if an event was not recorded. */
async function sendAll({ url }: Served, bodies: readonly Buffer[]): Promise<number> {
  const waiting = [...bodies]
  const sent = { ...headers, 'Content-Type': 'application/x-ndjson' }
  const sendNext = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const response = await fetch(`${url}/api/v1/log/batch`, {
        method: 'POST',
        headers: sent,
        body: new Uint8Array(body),
      })
      const text = await response.text()
      if (!text.startsWith(`{"recorded":${BATCH_EVENTS},`)) throw new Error(`${response.status} ${text.slice(0, 300)}`)
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, sendNext))
  return (performance.now() - begun) / 1000
}

async function copyRows(
  { sql, url }: Copying,
  events: number,
): Promise<{ readonly seconds: number; readonly cpu: number }> {
  const chunks = await readRows(url)
  await sql`checkpoint`
  const cpuBefore = await databaseCpu(sql, true)
  const begun = performance.now()
  await pipeline(chunks, await sql`copy copied from stdin`.writable())
  const seconds = (performance.now() - begun) / 1000
  const cpu = (await databaseCpu(sql, true)) - cpuBefore
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from copied`
  if (row?.n !== events) throw new Error(`${row?.n} of ${events} rows were copied`)
  return { seconds, cpu }
}

/** The rows as COPY writes them. On a connection of its own: it is of no use to postgres.js after that. */
async function readRows(url: string): Promise<Buffer[]> {
  const sql = openSql(url)
  const chunks: Buffer[] = []
  for await (const chunk of await sql`copy (select * from usage_logs) to stdout`.readable())
    chunks.push(chunk as Buffer)
  await sql.end({ timeout: 0 })
  return chunks
}

/** CPU seconds of all sessions but this one, or of this one. */
async function databaseCpu(sql: Sql, isOwn = false): Promise<number> {
  const sessions = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and (pid = pg_backend_pid()) = ${isOwn}`
  return sessions.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0)
}

function batchResult(hasKeys: boolean, least: number, pairs: readonly Pair[]): Result {
  const typical = (pick: (pair: Pair) => number) => median(pairs.map(pick))
  const ratio = typical((pair) => pair.ratio)
  const [service, database] = [typical((pair) => pair.serviceCpu), typical((pair) => pair.databaseCpu)]
  const copied = typical((pair) => pair.baselineDatabaseCpu)
  return {
    ...{ name: `log/batch ${hasKeys ? 'with' : 'without'} keys, against COPY`, goal: `>= ${least}` },
    holds: ratio >= least,
    measured: `${ratio.toFixed(2)}; CPU a row ${service.toFixed(1)} us, of Postgres ${database.toFixed(1)} us, of COPY ${copied.toFixed(1)} us`,
    detail: {
      ...{ least: Math.min(...pairs.map((pair) => pair.ratio)), most: Math.max(...pairs.map((pair) => pair.ratio)) },
      perSecond: typical((pair) => pair.perSecond),
      baselinePerSecond: typical((pair) => pair.baselinePerSecond),
      pairs,
    },
  }
}
