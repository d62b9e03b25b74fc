import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromRatio, headers, type Result, type Stage } from './experiments.js'
import { compare, quantile } from './pairs.js'
import { residentMegabytes, type Served, startBare, startBuilt } from './processes.js'

const ROUNDS = 5
const REQUESTS = 200
const STREAMS = 500
const STREAM_SECONDS = 4
const STREAM_ROUNDS = 3
/** Between the words of a stream that is one of many. */
const WORD_MS = 50
/** What a process may grow by, between rounds of streams, without that it grows. */
const FLAT_MEGABYTES = 40
const PATH = '/v1/chat/completions'
const BODY = { model: 'local:bench', messages: [{ role: 'user', content: 'Twenty words, please.' }] }

/**
 * Calls through the gateway to an upstream on this machine, against a bare pass-through to the same one: what each adds to
 * a call that goes directly, one call at a time, whole and up to the first byte of a stream. Throughput comes first: it
 * also warms up what is measured after it. At the end many streams at once, of an upstream that takes its time.
 */
export async function callThroughGateway(stage: Stage): Promise<Result[]> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-bench-'))
  const file = join(directory, 'gateway.yaml')
  const upstream = await startBare('chat', '')
  const slow = await startBare('chat', String(WORD_MS))
  const providers = Object.entries({ local: upstream, slow }).map(
    ([name, { url }]) => `{ name: ${name}, base_url: "${url}/v1", model: bench }`,
  )
  await writeFile(file, `providers: [${providers.join(', ')}]\ncache: { enabled: false }\n`)
  const pipe = await startBare('pipe', upstream.url)
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase(), LLMRING_ROUTER_CONFIG: file })
  const order = { method: 'POST' as const, headers, path: PATH, body: JSON.stringify(BODY), expect: '"usage"' }
  const ratio = await compare(stage.loads, { served, order }, { served: pipe, order })
  const results = [
    await addedLatency(served, pipe, upstream, false),
    await addedLatency(served, pipe, upstream, true),
    fromRatio('call through the gateway', 0.4, ratio, {}),
    await manyStreams(stage, served),
  ]
  await Promise.all([served.stop(), pipe.stop(), upstream.stop(), slow.stop()])
  await rm(directory, { recursive: true, force: true })
  return results
}

/** Streams that last a second each, round after round: none fails, and the process is no larger after the last one. */
async function manyStreams({ loads: [load] }: Stage, served: Served): Promise<Result> {
  if (load === undefined) throw new Error('there is no load generator')
  const body = JSON.stringify({ ...BODY, model: 'slow:bench', stream: true })
  const sent = { url: served.url + PATH, method: 'POST' as const, headers, body, status: 200, expect: '[DONE]' }
  const sizes: number[] = []
  let [streams, wrong] = [0, 0]
  for (let round = 0; round < STREAM_ROUNDS; round += 1) {
    const result = await load.run({ ...sent, seconds: STREAM_SECONDS, connections: STREAMS })
    streams += result.requests
    wrong += result.wrong
    sizes.push(residentMegabytes(served.pid))
  }
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)]
  return {
    name: `${STREAMS} streams at once`,
    goal: `no error, memory flat (+${FLAT_MEGABYTES} MB)`,
    holds: wrong === 0 && streams >= STREAMS && last - first <= FLAT_MEGABYTES,
    measured: `${streams} streams, ${wrong} wrong, ${sizes.map((size) => size.toFixed(0)).join(', ')} MB`,
    detail: { streams, wrong, sizes },
  }
}

async function addedLatency(served: Served, pipe: Served, upstream: Served, stream: boolean): Promise<Result> {
  const body = JSON.stringify({ ...BODY, stream })
  const times: Record<'gateway' | 'pipe' | 'direct', number[]> = { gateway: [], pipe: [], direct: [] }
  const ways = { gateway: served, pipe, direct: upstream }
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [way, { url }] of Object.entries(ways) as ['gateway' | 'pipe' | 'direct', Served][]) {
      const taken = await callOneByOne(url, body)
      // The first round warms up.
      if (round > 0) times[way].push(...taken)
    }
  }
  const direct = quantile(times.direct, 0.5)
  const added = quantile(times.gateway, 0.5) - direct
  const piped = quantile(times.pipe, 0.5) - direct
  const tail = quantile(times.gateway, 0.99) - quantile(times.direct, 0.99)
  const goal = stream ? 'first byte +1.2 ms' : 'median +0.6 ms, twice the pipe; p99 +5 ms'
  return {
    name: stream ? 'gateway, first byte of a stream' : 'gateway, one call at a time',
    goal,
    holds: stream ? added <= 1.2 : added <= 0.6 && added <= 2 * piped && tail <= 5,
    measured: `+${added.toFixed(2)} ms (pipe +${piped.toFixed(2)}), p99 +${tail.toFixed(2)}`,
    detail: { direct, added, piped, tail },
  }
}

/** Milliseconds to the first byte of each answer's body. */
async function callOneByOne(url: string, body: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const taken: number[] = []
  for (let index = 0; index < REQUESTS; index += 1) taken.push(await firstByteMs(url, body, agent))
  agent.destroy()
  return taken
}

function firstByteMs(url: string, body: string, agent: Agent): Promise<number> {
  const begun = performance.now()
  return new Promise((resolve, reject) => {
    const call = request(url + PATH, { method: 'POST', headers, agent }, (answer) => {
      let firstAt = 0
      answer.on('data', () => {
        firstAt ||= performance.now()
      })
      answer.on('end', () => (answer.statusCode === 200 ? resolve(firstAt - begun) : reject(new Error('not answered'))))
    })
    call.on('error', reject)
    call.end(body)
  })
}
