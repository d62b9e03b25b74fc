/** Those who follow changes: how soon they hear of one, what each costs, and what a delta costs. */
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProjectId } from '../../src/access/principal.js'
import { createClient } from '../../src/db/client.js'
import { createSyncStore } from '../../src/features/sync/store.js'
import { watchLoop } from '../support/loop-lag.js'
import type { Result, Stage } from './experiments.js'
import { quantile } from './pairs.js'
import { cpuSeconds, residentMegabytes, type Served, startBuilt } from './processes.js'
import type { WatchOrder, WatchResult } from './watch-clients.js'

const EVERYONE = 'bench-watched-by-many'
const FEW = 'bench-watched-by-few'
const STREAMS = 1_000
const POLLS = 200
const OF_FEW = 10
const ROUNDS = 50
const CROWD = 10_000
const CROWD_ROUNDS = 10
/** All clients come from one address here. */
const OPEN_DOOR = { LLMRING_CONNECTIONS_PER_ADDRESS: '0' }

/** One change to 1,000 streams and 200 waiting requests of one project, and one to the few of another among them. */
export async function tellWatchers(stage: Stage): Promise<Result[]> {
  return withWatchers(stage, async ({ served, order }) => {
    await order({ kind: 'open', url: served.url, key: EVERYONE, streams: STREAMS, polls: POLLS })
    await order({ kind: 'open', url: served.url, key: FEW, streams: OF_FEW, polls: 0 })
    const all = await changes(served, order, EVERYONE, ROUNDS)
    const few = await changes(served, order, FEW, ROUNDS)
    return [
      told(`a change to ${STREAMS} streams and ${POLLS} waiting`, 120, all),
      told(`a change to ${OF_FEW} streams among them`, 20, few),
    ]
  })
}

/** The same to 10,000 streams: what each takes of the memory, and how long telling them holds the event loop. */
export async function tellCrowd(stage: Stage): Promise<Result[]> {
  return withWatchers(stage, async ({ served, order, loop }) => {
    await changes(served, order, FEW, 5)
    const before = residentMegabytes(served.pid)
    const opened = await order({ kind: 'open', url: served.url, key: EVERYONE, streams: CROWD, polls: 0 })
    const kilobytes = ((residentMegabytes(served.pid) - before) * 1024) / CROWD
    await loop()
    const all = await changes(served, order, EVERYONE, CROWD_ROUNDS)
    const { heldMs, delayMs } = await loop()
    const after = ((residentMegabytes(served.pid) - before) * 1024) / CROWD
    return [
      told(`a change to ${CROWD} streams`, 1_000, all),
      {
        ...{ name: `memory a stream, ${CROWD} of them`, goal: '< 40 kB', holds: after < 40 },
        ...{ measured: `${after.toFixed(1)} kB`, detail: { opened: kilobytes, told: after, openMs: opened.writeMs } },
      },
      {
        ...{ name: 'event loop held while they are told', goal: '<= 10 ms', holds: heldMs <= 10 },
        ...{ measured: `${heldMs.toFixed(1)} ms`, detail: { heldMs, delayMs } },
      },
    ]
  })
}

const ALIASES = 10_000
const CHANGES = 20

/** The statement behind a delta: the last change of 10,000 aliases with 20 changes each. */
export async function readDelta(stage: Stage): Promise<Result> {
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url })
  await bind(served, FEW)
  const sql = createClient({ url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
  // Filling the tables may take longer than a query of the service.
  await sql`set statement_timeout = 0`
  const [head] = await sql<{ projectId: ProjectId }[]>`select project_id as "projectId" from alias_heads`
  const projectId = (head as { projectId: ProjectId }).projectId
  const revisions = ALIASES * CHANGES
  await sql`delete from aliases`
  await sql`delete from alias_history`
  // Alias n changes at the revisions n, n + 10,000, and so on; each tenth is deleted in the end.
  await sql`
    insert into alias_history (project_id, revision, profile, alias, action, models, changed_at, place)
    select ${projectId}::uuid, r, 'default', 'alias-' || r % ${ALIASES}::integer,
      case when r > ${revisions - ALIASES}::integer and r % 10 = 0 then 'delete' else 'set' end, array['openai:gpt-4o-mini'], now(), r
    from generate_series(1, ${revisions}::integer) as r`
  await sql`
    insert into aliases (project_id, profile, alias, id, models, revision, created_at, updated_at, metadata_bytes, names_bytes, place)
    select project_id, profile, alias, revision - ${revisions - ALIASES}::integer, models, revision, now(), now(), 0, 40, revision
    from alias_history where revision > ${revisions - ALIASES}::integer and action = 'set'`
  await sql`update alias_heads set revision = ${revisions}::bigint`
  await sql`analyze aliases`
  await sql`analyze alias_history`
  const { readPage } = createSyncStore(sql)
  const measure = async (profile: string | null, since: number): Promise<{ p95: number; least: number }> => {
    const milliseconds: number[] = []
    for (let run = 0; run < 60; run++) {
      const begun = performance.now()
      await readPage({ projectId, profile }, { epoch: undefined, since })
      milliseconds.push(performance.now() - begun)
    }
    return { p95: quantile(milliseconds, 0.95), least: Math.min(...milliseconds) }
  }
  const detail = {
    one: await measure('default', revisions - 1),
    ofAllProfiles: await measure(null, revisions - 1),
    firstPage: await measure('default', 0),
  }
  const whole = performance.now()
  await (await fetch(`${served.url}/api/v1/sync`, { headers: { 'X-Project-Key': FEW } })).text()
  const wholeMs = performance.now() - whole
  await sql.end()
  await served.stop()
  return {
    ...{ name: `delta of 1 among ${ALIASES} aliases`, goal: 'p95 < 5 ms', holds: detail.one.p95 < 5 },
    measured: `${shown(detail.one)} ms (all profiles ${shown(detail.ofAllProfiles)}, first page from 0 ${shown(detail.firstPage)}, whole ${wholeMs.toFixed(0)})`,
    detail: { ...detail, wholeMs },
  }
}

const shown = ({ p95, least }: { p95: number; least: number }) => `${p95.toFixed(1)} (least ${least.toFixed(1)})`

type Watching = {
  readonly served: Served
  order(order: WatchOrder): Promise<WatchResult>
  loop(): Promise<{ heldMs: number; delayMs: number }>
}

async function withWatchers<T>(stage: Stage, work: (watching: Watching) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
  const { environment, read } = watchLoop(directory)
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase(), ...OPEN_DOOR, ...environment })
  const child = fork(fileURLToPath(new URL('watch-clients.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
  const order = (message: WatchOrder) =>
    new Promise<WatchResult>((resolve, reject) => {
      child.once('message', ({ result, error }: { result?: WatchResult; error?: string }) =>
        result === undefined ? reject(new Error(error)) : resolve(result),
      )
      child.send(message)
    })
  try {
    for (const key of [EVERYONE, FEW]) await bind(served, key)
    return await work({ served, order, loop: read })
  } finally {
    child.kill('SIGKILL')
    await served.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function changes(served: Served, order: Watching['order'], key: string, rounds: number): Promise<Told> {
  const milliseconds: number[] = []
  let writeMs = 0
  const cpuBefore = cpuSeconds(served.pid)
  for (let round = 0; round < rounds; round++) {
    const result = await order({ kind: 'change', url: served.url, key, round })
    milliseconds.push(...result.milliseconds)
    writeMs += result.writeMs / rounds
  }
  return { milliseconds, writeMs, cpuMs: ((cpuSeconds(served.pid) - cpuBefore) * 1_000) / rounds }
}

/** With the processor time that one change takes of the service. */
type Told = WatchResult & { readonly cpuMs: number }

function told(name: string, msMax: number, { milliseconds, writeMs, cpuMs }: Told): Result {
  const [p50, p99] = [quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)]
  const measured = `${p99.toFixed(0)} ms (p50 ${p50.toFixed(0)}, write ${writeMs.toFixed(0)}, CPU ${cpuMs.toFixed(0)})`
  return { name, goal: `p99 < ${msMax} ms`, holds: p99 < msMax, measured, detail: { p50, p99, writeMs, cpuMs } }
}

async function bind({ url }: Served, key: string): Promise<void> {
  const headers = { 'X-Project-Key': key, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ alias: 'first', model: 'openai:gpt-4o-mini' })
  const response = await fetch(`${url}/api/v1/aliases/bind`, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(await response.text())
}
