import { createClient, type Sql } from '../../src/db/client.js'
import { openRollups } from '../../src/features/usage/feature.js'
import { calendarOf } from '../../src/features/usage/stats/calendar.js'
import { planReads } from '../../src/features/usage/stats/read-plan.js'
import { DAYS, type Filled, fillEvents } from './events.js'
import type { Result, Stage } from './experiments.js'
import { quantile } from './pairs.js'
import { startBuilt } from './processes.js'

const DAY_MS = 86_400_000
const SMALL = 100_000
const ASKED = 60
const ZONES = { UTC: 50, 'Asia/Kolkata': 250 } as const
type Zone = keyof typeof ZONES

/**
 * GET stats of 30 days: 20 models, 10 aliases, 2 profiles and 5 origins, of which 200 combinations live, by Zipf's law.
 * STATS_ROWS says how many events there are (1,000,000; 10,000,000 take some minutes). The sums are made of the rows and
 * folded by the product's own statements.
 */
export async function stats(stage: Stage): Promise<Result[]> {
  const rows = Number(process.env.STATS_ROWS ?? 1_000_000)
  const url = await stage.newDatabase()
  const served = await startBuilt({ LLMRING_DATABASE_URL: url })
  const sql = createClient({
    url,
    schema: 'llmring',
    connectionsMax: 2,
    prepare: true,
    pooled: false,
    statementMsMax: 0,
  })
  const until = Math.floor(Date.now() / DAY_MS) * DAY_MS
  const small = await fill(sql, served, 'bench-small', SMALL, until)
  const large = await fill(sql, served, 'bench-large', rows, until)
  await sql.unsafe('vacuum analyze')
  const results: Result[] = []
  for (const zone of Object.keys(ZONES) as Zone[]) {
    const times = { small: [] as number[], large: [] as number[] }
    for (let turn = -5; turn < ASKED; turn++) {
      const [one, other] = [await ask(served, small, zone, until), await ask(served, large, zone, until)]
      if (turn < 0) continue
      times.small.push(one)
      times.large.push(other)
    }
    const read = await rollupsRead(sql, large, zone, until)
    const [p95, base] = [quantile(times.large, 0.95), quantile(times.small, 0.95)]
    const ratio = p95 / base
    results.push({
      name: `stats of 30 days, ${rows} rows, ${zone}`,
      goal: `p95 under ${ZONES[zone]} ms, at most 1.5 times itself at ${SMALL} rows`,
      holds: p95 < ZONES[zone] && ratio <= 1.5,
      measured: `p95 ${p95.toFixed(1)} ms, ${ratio.toFixed(2)} times; ${read} sums read`,
      detail: {
        ...{ rows, zone, rollupRowsRead: read, asked: ASKED, p50Ms: quantile(times.large, 0.5), p95Ms: p95 },
        ...{ smallRows: SMALL, smallP50Ms: quantile(times.small, 0.5), smallP95Ms: base, ratio },
      },
    })
  }
  await sql.end()
  await served.stop()
  return results
}

async function fill(
  sql: Sql,
  served: { readonly url: string },
  key: string,
  rows: number,
  until: number,
): Promise<Filled> {
  const filled = await fillEvents(sql, served, { key, rows, until })
  const { repair, fold, foldLatencies } = openRollups(sql)
  for (let day = 1; day <= DAYS; day++) {
    await repair({ projectId: filled.project, day: new Date(until - day * DAY_MS).toISOString().slice(0, 10) })
  }
  while ((await fold(until, 20_000)) + (await foldLatencies(20_000)) > 0);
  return filled
}

const daysOf = (until: number) => {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  return `start_date=${day(until - DAYS * DAY_MS)}&end_date=${day(until - DAY_MS)}`
}

async function ask(
  served: { readonly url: string },
  { key, rows }: Filled,
  zone: Zone,
  until: number,
): Promise<number> {
  const begun = performance.now()
  const response = await fetch(`${served.url}/api/v1/stats?${daysOf(until)}&tz=${encodeURIComponent(zone)}`, {
    headers: { 'X-Project-Key': key },
  })
  const text = await response.text()
  const took = performance.now() - begun
  const requests = (JSON.parse(text) as { summary: { total_requests: number } }).summary.total_requests
  // A zone's days are others by some hours.
  if (Math.abs(requests - rows) > (zone === 'UTC' ? 0 : rows / 50))
    throw new Error(`${requests} of ${rows} are in the answer`)
  return took
}

/** How many folded sums one answer is made of. */
async function rollupsRead(sql: Sql, { project }: Filled, zone: Zone, until: number): Promise<number> {
  const shift = zone === 'UTC' ? 0 : 5.5 * 3_600_000
  const period = { fromMs: until - DAYS * DAY_MS - shift, untilMs: until - shift }
  const calendar = calendarOf(period, 'day', zone, DAYS + 1)
  let count = 0
  for (const { grain, fromMs, untilMs } of planReads(calendar?.boundsMs ?? []).segments) {
    const [row] = await sql<{ n: number }[]>`
      select count(*)::int as n from usage_rollups where project_id = ${project} and grain = ${grain} and shard = 0
        and bucket >= to_timestamp(${fromMs}::float8 / 1000) and bucket < to_timestamp(${untilMs}::float8 / 1000)`
    count += row?.n ?? 0
  }
  return count
}
