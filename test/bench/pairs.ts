import type { LoadOrder } from './load.js'
import { cpuSeconds, type Load, type Served } from './processes.js'

export type Contender = {
  readonly served: Served
  readonly order: Omit<LoadOrder, 'url' | 'seconds' | 'connections' | 'status'> & {
    readonly path: string
    readonly status?: number
  }
}
export type Ratio = {
  readonly ratio: number
  readonly least: number
  readonly most: number
  readonly perSecond: number
  readonly baselinePerSecond: number
  readonly cpuMicroseconds: number
  readonly baselineCpuMicroseconds: number
  /** CPU of the busiest load generator, 0 to 1, and how many there were. */
  readonly generatorCpu: number
  readonly generators: number
}

const PAIRS = 7
const SECONDS = 2
const CONNECTIONS = 64
/** From here on a generator may be what limits the faster side. */
const GENERATOR_CPU_MAX = 0.8

/**
 * Throughput against a baseline: runs of two seconds in turn, the order swapped every time, so that whatever else the
 * machine does hits both. The ratio is the median of the pairs' ratios. Where one generator is too busy in the warm-up,
 * two share the connections. Throws where an answer was wrong.
 */
export async function compare(
  loads: readonly Load[],
  contender: Contender,
  baseline: Contender,
  connections = CONNECTIONS,
): Promise<Ratio> {
  const alone = loads.slice(0, 1)
  const busiest = [await measure(alone, baseline, connections), await measure(alone, contender, connections)].map(
    (run) => run.generatorCpu,
  )
  const used = Math.max(...busiest) > GENERATOR_CPU_MAX ? loads : alone
  const pairs: { mine: Measured; theirs: Measured }[] = []
  for (let index = 0; index < PAIRS; index++) {
    const theirsFirst = index % 2 === 0
    const first = await measure(used, theirsFirst ? baseline : contender, connections)
    const second = await measure(used, theirsFirst ? contender : baseline, connections)
    pairs.push(theirsFirst ? { mine: second, theirs: first } : { mine: first, theirs: second })
  }
  const ratios = pairs.map(({ mine, theirs }) => mine.perSecond / theirs.perSecond)
  const typical = (pick: (pair: { mine: Measured; theirs: Measured }) => number) => median(pairs.map(pick))
  return {
    ...{ ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
    perSecond: typical(({ mine }) => mine.perSecond),
    baselinePerSecond: typical(({ theirs }) => theirs.perSecond),
    cpuMicroseconds: typical(({ mine }) => mine.cpuMicroseconds),
    baselineCpuMicroseconds: typical(({ theirs }) => theirs.cpuMicroseconds),
    generatorCpu: typical(({ mine, theirs }) => Math.max(mine.generatorCpu, theirs.generatorCpu)),
    generators: used.length,
  }
}

type Measured = { readonly perSecond: number; readonly cpuMicroseconds: number; readonly generatorCpu: number }

async function measure(loads: readonly Load[], { served, order }: Contender, all: number): Promise<Measured> {
  const { path, ...rest } = order
  const processes = [served, ...loads].map(({ pid }) => ({ pid, before: cpuSeconds(pid) }))
  const connections = all / loads.length
  const whole = { status: 200, ...rest, url: served.url + path, seconds: SECONDS, connections }
  const results = await Promise.all(loads.map((load) => load.run(whole)))
  const [server = Number.NaN, ...generators] = processes.map(({ pid, before }) => cpuSeconds(pid) - before)
  const sum = (pick: (result: (typeof results)[number]) => number) =>
    results.reduce((total, one) => total + pick(one), 0)
  const [requests, wrong] = [sum((one) => one.requests), sum((one) => one.wrong)]
  if (wrong > 0 || requests === 0) throw new Error(`${wrong} of ${requests} answers from ${path} were wrong`)
  const seconds = sum((one) => one.seconds) / results.length
  return {
    perSecond: sum((one) => one.perSecond),
    cpuMicroseconds: (server * 1e6) / requests,
    generatorCpu: Math.max(...generators) / seconds,
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Nearest-rank quantile. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
