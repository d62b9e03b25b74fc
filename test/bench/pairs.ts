import type { LoadOrder } from './load.js'
import { cpuSeconds, type Load, type Served } from './processes.js'

export type Contender = {
  readonly served: Served
  readonly order: Omit<LoadOrder, 'url' | 'seconds' | 'connections'> & { readonly path: string }
}
export type Ratio = {
  readonly ratio: number
  readonly least: number
  readonly most: number
  readonly perSecond: number
  readonly baselinePerSecond: number
  readonly cpuMicroseconds: number
  readonly baselineCpuMicroseconds: number
}

const PAIRS = 7
const SECONDS = 2
const CONNECTIONS = 64

/**
 * Throughput against a baseline: runs of two seconds in turn, the order swapped every time, so that whatever else the
 * machine does hits both. The ratio is the median of the pairs' ratios. Throws where an answer was wrong.
 */
export async function compare(load: Load, contender: Contender, baseline: Contender): Promise<Ratio> {
  await measure(load, baseline)
  await measure(load, contender)
  const pairs: { mine: Measured; theirs: Measured }[] = []
  for (let index = 0; index < PAIRS; index++) {
    const theirsFirst = index % 2 === 0
    const first = await measure(load, theirsFirst ? baseline : contender)
    const second = await measure(load, theirsFirst ? contender : baseline)
    pairs.push(theirsFirst ? { mine: second, theirs: first } : { mine: first, theirs: second })
  }
  const ratios = pairs.map(({ mine, theirs }) => mine.perSecond / theirs.perSecond)
  return {
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    perSecond: median(pairs.map(({ mine }) => mine.perSecond)),
    baselinePerSecond: median(pairs.map(({ theirs }) => theirs.perSecond)),
    cpuMicroseconds: median(pairs.map(({ mine }) => mine.cpuMicroseconds)),
    baselineCpuMicroseconds: median(pairs.map(({ theirs }) => theirs.cpuMicroseconds)),
  }
}

type Measured = { perSecond: number; cpuMicroseconds: number }

async function measure(load: Load, { served, order }: Contender): Promise<Measured> {
  const { path, ...rest } = order
  const before = cpuSeconds(served.pid)
  const result = await load.run({ ...rest, url: served.url + path, seconds: SECONDS, connections: CONNECTIONS })
  const seconds = cpuSeconds(served.pid) - before
  if (result.wrong > 0 || result.requests === 0)
    throw new Error(`${result.wrong} of ${result.requests} answers from ${path} were wrong`)
  return { perSecond: result.perSecond, cpuMicroseconds: (seconds * 1e6) / result.requests }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Nearest-rank quantile. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
