import { invariant } from '../../../platform/invariant.js'
import { createSlices } from '../../../platform/slices.js'
import { latencyOf } from '../rollups/latency-scale.js'
import type { LatencyRow } from '../rollups/latency-store.js'
import type { StatsRow } from './stats-row.js'

export type StatsContext = {
  /** Of the parts of the period. */
  readonly labels: readonly string[]
  /** Undefined: not asked for. */
  readonly latencies: readonly LatencyRow[] | undefined
  readonly budgets: readonly object[] | undefined
  /** A JSON array. */
  readonly groups: Buffer | undefined
}

/**
 * The statement's lines as the bytes of `UsageStats`, written in slices: 30,000 long names are 8 MB, which would hold
 * the event loop, and need a multiple of that as objects. Names are the callers': any text, `__proto__` too.
 */
export async function renderStats(
  rows: readonly StatsRow[],
  { labels, latencies, budgets, groups }: StatsContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const of = (kind: StatsRow['kind']) => rows.filter((row) => row.kind === kind)
  const [whole] = of('summary')
  invariant(whole, 'the stats statement answers with a summary')
  const [models, origins] = [of('model'), of('origin')]
  const latency = latencyFinder(latencies)
  return Buffer.concat([
    Buffer.from(
      `{"summary":${JSON.stringify({ ...summaryOf(whole, models, origins), ...latency('summary', '') })},"by_day":[`,
    ),
    ...(await renderEach(of('period'), (row) =>
      JSON.stringify({ ...periodOf(row, labels), ...latency('period', String(Number(row.name))) }),
    )),
    Buffer.from('],"by_model":{'),
    ...(await renderEach(models, (row) => named(row, { ...tallyOf(row), ...latency('model', row.name ?? '') }))),
    Buffer.from('},"by_origin":{'),
    ...(await renderEach(origins, (row) => named(row, { requests: Number(row.requests), cost: Number(row.cost) }))),
    Buffer.from('},"by_alias":{'),
    ...(await renderEach(of('alias'), (row) => named(row, tallyOf(row)))),
    Buffer.from('}'),
    ...(budgets === undefined ? [] : [Buffer.from(`,"budgets":${JSON.stringify(budgets)}`)]),
    ...(groups === undefined ? [] : [Buffer.from(',"groups":'), groups]),
    Buffer.from('}'),
  ])
}

/** The bytes of a list's items, one part for each slice. */
async function renderEach(rows: readonly StatsRow[], render: (row: StatsRow) => string): Promise<Buffer[]> {
  const slices = createSlices()
  const parts: Buffer[] = []
  let text = ''
  for (const [at, row] of rows.entries()) {
    text += at === 0 ? render(row) : `,${render(row)}`
    if (!slices.isDue()) continue
    parts.push(Buffer.from(text))
    text = ''
    await slices.pause()
  }
  return [...parts, Buffer.from(text)]
}

/** Finds the member that says how long the requests of a line took; it is absent where nothing was asked for. */
function latencyFinder(rows: readonly LatencyRow[] | undefined) {
  const found = new Map(rows?.map((row) => [`${row.kind} ${row.name ?? ''}`, row]))
  return (kind: LatencyRow['kind'], name: string) => {
    if (rows === undefined) return {}
    const row = found.get(`${kind} ${name}`)
    if (row === undefined) return { latency: null }
    const [p50, p90, p95, p99] = row.buckets.map((bucket) => (bucket === null ? null : latencyOf(bucket)))
    return { latency: { requests: Number(row.requests), p50_ms: p50, p90_ms: p90, p95_ms: p95, p99_ms: p99 } }
  }
}

const named = ({ name }: StatsRow, value: object) => `${JSON.stringify(name ?? '')}:${JSON.stringify(value)}`

function summaryOf(whole: StatsRow, models: readonly StatsRow[], origins: readonly StatsRow[]) {
  return {
    total_requests: Number(whole.requests),
    total_cost: whole.cost,
    total_tokens: Number(BigInt(whole.inputTokens) + BigInt(whole.outputTokens)),
    unique_models: Number(models[0]?.names ?? 0),
    unique_origins: Number(origins[0]?.names ?? 0),
    unpriced_requests: Number(whole.unpriced),
    ...(whole.folded === '0' ? {} : { folded_requests: Number(whole.folded) }),
  }
}

function periodOf(row: StatsRow, labels: readonly string[]) {
  const date = labels[Number(row.name)] ?? ''
  return { date, requests: Number(row.requests), cost: row.cost, top_model: row.topModel ?? '' }
}

function tallyOf(row: StatsRow) {
  return {
    requests: Number(row.requests),
    cost: row.cost,
    input_tokens: Number(row.inputTokens),
    output_tokens: Number(row.outputTokens),
  }
}
