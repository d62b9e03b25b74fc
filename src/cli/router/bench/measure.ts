import { Agent } from 'node:http'
import { type BenchCall, callFor, callOnce, type Taken } from './call-once.js'
import type { Parts } from './start-parts.js'

export type BenchOrder = {
  /** Of each way, one at a time, and again at once. */
  readonly calls: number
  readonly atOnce: number
  readonly isStream: boolean
  /** Whether no call may begin any more. */
  readonly isOver: () => boolean
}
type Way = 'direct' | 'pipe' | 'gateway'
/** After one, no call begins: what it took would say nothing. */
type Failures = { first: string | null }
export type Measured = {
  /** Rounds that were finished, without the one that warms up. */
  readonly rounds: number
  readonly oneByOne: Readonly<Record<Way, readonly Taken[]>>
  readonly atOnce: Readonly<Record<'pipe' | 'gateway', readonly Taken[]>>
  /** Calls a second, one figure a round. */
  readonly perSecond: Readonly<Record<'pipe' | 'gateway', readonly number[]>>
  readonly firstFailure: string | null
}

const BENCH_ROUNDS = 5

/**
 * Calls the upstream directly, through the pipe and through the gateway, in turns, so that whatever else this machine does
 * meets all of them. The first round warms up and is not counted; neither is one that was not finished in time.
 */
export async function measure(parts: Parts, order: BenchOrder): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.atOnce })
  const failures: Failures = { first: null }
  const measured = {
    oneByOne: { direct: [] as Taken[], pipe: [] as Taken[], gateway: [] as Taken[] },
    atOnce: { pipe: [] as Taken[], gateway: [] as Taken[] },
    perSecond: { pipe: [] as number[], gateway: [] as number[] },
  }
  const bench = { parts, order, failures, call: callFor(order.isStream, agent) }
  let rounds = 0
  for (let round = 0; round <= BENCH_ROUNDS; round += 1) {
    const found = await callRound(bench, Math.ceil(order.calls / BENCH_ROUNDS))
    if (order.isOver() || failures.first !== null) break
    if (round === 0) continue
    rounds += 1
    for (const way of ['direct', 'pipe', 'gateway'] as const) measured.oneByOne[way].push(...found[way].taken)
    for (const way of ['pipe', 'gateway'] as const) {
      const { taken, seconds } = found.atOnce[way]
      measured.atOnce[way].push(...taken)
      measured.perSecond[way].push(taken.length / seconds)
    }
  }
  agent.destroy()
  return { ...measured, rounds, firstFailure: failures.first }
}

type Bench = {
  readonly parts: Parts
  readonly order: BenchOrder
  readonly failures: Failures
  readonly call: BenchCall
}
type Found = { readonly taken: readonly Taken[]; readonly seconds: number }

async function callRound(bench: Bench, count: number) {
  const { atOnce } = bench.order
  return {
    direct: await callMany(bench, 'direct', count, 1),
    pipe: await callMany(bench, 'pipe', count, 1),
    gateway: await callMany(bench, 'gateway', count, 1),
    atOnce: {
      pipe: await callMany(bench, 'pipe', count, atOnce),
      gateway: await callMany(bench, 'gateway', count, atOnce),
    },
  }
}

/** That many calls, as many of them at a time as `lanes`. */
async function callMany({ parts, order, failures, call }: Bench, way: Way, count: number, lanes: number) {
  const taken: Taken[] = []
  let left = count
  const begun = performance.now()
  const work = async () => {
    while (left > 0 && failures.first === null && !order.isOver()) {
      left -= 1
      const result = await callOnce(parts[way], call)
      if (result.ok) taken.push(result)
      else failures.first ??= `${way}: ${result.why}`
    }
  }
  await Promise.all(Array.from({ length: lanes }, work))
  return { taken, seconds: (performance.now() - begun) / 1_000 } satisfies Found
}
