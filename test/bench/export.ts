import { get } from 'node:http'
import { createClient, type Sql } from '../../src/db/client.js'
import { type Filled, fillEvents } from './events.js'
import type { Result, Stage } from './experiments.js'
import { median } from './pairs.js'
import { cpuSeconds, residentMegabytes, type Served, startBuilt } from './processes.js'

const DAY_MS = 86_400_000
const RUNS = 3
const ROWS_PER_SECOND_MIN = 100_000
const MEGABYTES_MAX = 100
const LOOK_BYTES = 16 * 2 ** 20

/**
 * GET export of EXPORT_ROWS events (1,000,000) as NDJSON, by one reader. Memory is the most that the
 * service occupied, looked at every 16 MB, above what it occupied when it was ready.
 */
export async function exportRows(stage: Stage): Promise<Result[]> {
  const rows = Number(process.env.EXPORT_ROWS ?? 1_000_000)
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url })
  const idle = residentMegabytes(served.pid)
  const options = { url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false, statementMsMax: 0 }
  const sql = createClient(options)
  const filled = await fillEvents(sql, served, {
    key: 'bench-export',
    rows,
    until: Math.floor(Date.now() / DAY_MS) * DAY_MS,
  })
  await sql.unsafe('vacuum analyze')
  await download(served, filled)
  const runs: Run[] = []
  for (let turn = 0; turn < RUNS; turn++) runs.push(await measure(served, sql, filled))
  await sql.end()
  await served.stop()
  const perSecond = median(runs.map((run) => rows / run.seconds))
  const megabytes = Math.max(...runs.flatMap((run) => run.megabytes)) - idle
  const [service, database] = [median(runs.map((run) => run.serviceCpu)), median(runs.map((run) => run.databaseCpu))]
  return [
    {
      name: `export of ${rows} rows as NDJSON`,
      goal: `>= ${ROWS_PER_SECOND_MIN} rows/s`,
      holds: perSecond >= ROWS_PER_SECOND_MIN,
      measured: `${Math.round(perSecond)} rows/s; CPU a row ${service.toFixed(1)} us, of Postgres ${database.toFixed(1)} us`,
      detail: { rows, runs },
    },
    {
      name: 'export, resident memory above idle',
      goal: `< ${MEGABYTES_MAX} MB`,
      holds: megabytes < MEGABYTES_MAX,
      measured: `${Math.round(megabytes)} MB`,
      detail: { idle, megabytes },
    },
  ]
}

/** CPU in microseconds a row. */
type Run = {
  readonly seconds: number
  readonly serviceCpu: number
  readonly databaseCpu: number
  readonly megabytes: readonly number[]
}

async function measure(served: Served, sql: Sql, filled: Filled): Promise<Run> {
  const cpu = async () => ({ service: cpuSeconds(served.pid), database: await databaseCpu(sql) })
  const before = await cpu()
  const begun = performance.now()
  const megabytes = await download(served, filled)
  const seconds = (performance.now() - begun) / 1000
  const after = await cpu()
  const aRow = (used: number) => (used * 1e6) / filled.rows
  return {
    ...{ seconds, megabytes },
    serviceCpu: aRow(after.service - before.service),
    databaseCpu: aRow(after.database - before.database),
  }
}

/** CPU seconds of all of the service's sessions. */
async function databaseCpu(sql: Sql): Promise<number> {
  const sessions = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
  return sessions.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0)
}

/** Megabytes that the service occupied on the way. Throws if the last line does not say that all rows came. */
function download(served: Served, { key, rows }: Filled): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const megabytes: number[] = []
    let bytes = 0
    let tail = ''
    const request = get(
      `${served.url}/api/v1/export?format=ndjson`,
      { headers: { 'X-Project-Key': key } },
      (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          tail = (tail + chunk.subarray(-300).toString('latin1')).slice(-300)
          if (bytes >= megabytes.length * LOOK_BYTES) megabytes.push(residentMegabytes(served.pid))
        })
        response.on('end', () => {
          // The first event of the project is one more.
          if (tail.includes(`\n{"type":"end","rows":${rows + 1},`)) resolve(megabytes)
          else reject(new Error(`not the end of ${rows + 1} rows: ${tail}`))
        })
        response.on('error', reject)
      },
    )
    request.on('error', reject)
  })
}
