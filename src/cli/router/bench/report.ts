import type { Taken } from './call-once.js'
import type { BenchOrder, Measured } from './measure.js'
import { addedTo, medianOf, type Quantiles, quantilesOf } from './quantiles.js'

/** Milliseconds that each way takes, and what pipe and gateway add to a call that goes directly. */
type Latency = Readonly<Record<'direct' | 'pipe' | 'gateway' | 'pipe_added' | 'gateway_added', Quantiles>>

export type BenchReport = {
  readonly stream: boolean
  readonly rounds: number
  /** Of each way, one at a time. */
  readonly calls: number
  readonly concurrency: number
  /** Of streams only. */
  readonly first_byte_ms: Latency | null
  readonly whole_ms: Latency
  readonly concurrent_ms: Readonly<Record<'pipe' | 'gateway', Quantiles>>
  readonly calls_per_second: Readonly<Record<'pipe' | 'gateway', number>>
  /** Of the gateway to the pipe: the median of what each round gave. */
  readonly throughput_ratio: number
}

export function reportOf(measured: Measured, { atOnce, isStream }: BenchOrder): BenchReport {
  const { oneByOne, perSecond } = measured
  const ratios = perSecond.gateway.map((gateway, round) => gateway / (perSecond.pipe[round] ?? Number.NaN))
  const whole = ({ wholeMs }: Taken) => wholeMs
  return {
    ...{ stream: isStream, rounds: measured.rounds, calls: oneByOne.gateway.length, concurrency: atOnce },
    first_byte_ms: isStream ? latencyOf(oneByOne, ({ firstMs }) => firstMs) : null,
    whole_ms: latencyOf(oneByOne, whole),
    concurrent_ms: {
      pipe: quantilesOf(measured.atOnce.pipe.map(whole)),
      gateway: quantilesOf(measured.atOnce.gateway.map(whole)),
    },
    calls_per_second: { pipe: medianOf(perSecond.pipe), gateway: medianOf(perSecond.gateway) },
    throughput_ratio: medianOf(ratios),
  }
}

function latencyOf(taken: Measured['oneByOne'], of: (one: Taken) => number): Latency {
  const direct = quantilesOf(taken.direct.map(of))
  const pipe = quantilesOf(taken.pipe.map(of))
  const gateway = quantilesOf(taken.gateway.map(of))
  return { direct, pipe, gateway, pipe_added: addedTo(direct, pipe), gateway_added: addedTo(direct, gateway) }
}

export function renderReport(report: BenchReport): string {
  const { calls, rounds, concurrency, calls_per_second: speed, first_byte_ms: first } = report
  const kind = report.stream ? 'streams' : 'calls'
  return [
    `${calls} ${kind} each way in ${rounds} rounds, milliseconds`,
    ...(first === null ? [] : table('one at a time, to the first byte', first)),
    ...table('one at a time, to the end', report.whole_ms),
    ...table(`${concurrency} at a time, to the end`, report.concurrent_ms),
    `${concurrency} at a time: ${speed.gateway.toFixed(0)} a second, a pipe ${speed.pipe.toFixed(0)}: ${report.throughput_ratio.toFixed(2)} of it`,
  ].join('\n')
}

const NAMES: Readonly<Record<keyof Latency, string>> = {
  direct: 'the upstream itself',
  pipe: 'through a bare pipe',
  gateway: 'through the gateway',
  pipe_added: 'the pipe adds',
  gateway_added: 'the gateway adds',
}

function table(title: string, rows: Partial<Latency>): string[] {
  const cells = (values: readonly string[]) => values.map((value) => value.padStart(10)).join('')
  return [
    title.padEnd(34) + cells(['p50', 'p95', 'p99']),
    ...Object.entries(rows).map(
      ([name, { p50, p95, p99 }]) =>
        `  ${NAMES[name as keyof Latency].padEnd(32)}${cells([p50, p95, p99].map((ms) => ms.toFixed(3)))}`,
    ),
  ]
}
