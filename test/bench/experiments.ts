import { REGISTRY_FIXTURES, startRegistryOrigin } from '../support/registry-origin.js'
import { compare, quantile, type Ratio } from './pairs.js'
import { type Load, residentMegabytes, type Served, startBare, startBuilt } from './processes.js'

export type Result = {
  readonly name: string
  readonly goal: string
  readonly holds: boolean
  readonly measured: string
  readonly detail: unknown
}
export type Stage = {
  readonly loads: readonly Load[]
  /** A database of its own for a server, on the one Postgres of the bench. */
  readonly newDatabase: () => Promise<string>
}

const KEY = 'bench-project-key'
export const headers = { 'X-Project-Key': KEY, 'Content-Type': 'application/json' }
const LOGGED_ALL = { LLMRING_ACCESS_LOG: '1' }
const RESOLVE = '/api/v1/aliases/resolve?alias=summarizer'
const get = { method: 'GET' as const, headers }

/** GET resolve, warm, through the full stack, against a server that answers a constant. */
export async function resolveWarm(stage: Stage, share: 'as shipped' | 'every request'): Promise<Result> {
  const served = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    ...(share === 'every request' ? LOGGED_ALL : {}),
  })
  await post(served, '/api/v1/aliases/bind', { alias: 'summarizer', model: 'openai:gpt-4o-mini' })
  const answer = await (await fetch(served.url + RESOLVE, { headers })).text()
  const bare = await startBare('constant', answer)
  const order = { ...get, path: RESOLVE, expect: '"openai:gpt-4o-mini"' }
  const ratio = await compare(stage.loads, { served, order }, { served: bare, order })
  const megabytes = residentMegabytes(served.pid)
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio(`resolve, warm, logging ${share}`, share === 'as shipped' ? 0.7 : 0.45, ratio, {
    residentMegabytes: megabytes,
  })
}

/** A key that is refused, again and again, against a server that answers a constant. */
export async function refuseKey(stage: Stage): Promise<Result> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase(), LLMRING_PROJECTS: 'closed' })
  const refused = await fetch(served.url + RESOLVE, { headers })
  const bare = await startBare('constant', await refused.text())
  const order = { ...get, path: RESOLVE, expect: 'key-unknown' }
  const ratio = await compare(
    stage.loads,
    { served, order: { ...order, status: refused.status } },
    { served: bare, order },
  )
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio('a wrong key, 401', 0.5, ratio, {})
}

/** GET /registry by a client that has it, against a server that answers 304 to everything. */
export async function registryUnchanged(stage: Stage): Promise<Result> {
  const origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  const served = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    LLMRING_REGISTRY_BASE_URL: origin.url,
  })
  const etag = (await fetch(`${served.url}/registry`)).headers.get('etag') ?? ''
  const bare = await startBare('unchanged', etag)
  const order = {
    method: 'GET' as const,
    headers: { 'If-None-Match': etag },
    path: '/registry',
    status: 304,
    expect: '',
  }
  const ratio = await compare(stage.loads, { served, order }, { served: bare, order })
  await Promise.all([served.stop(), bare.stop(), origin.close()])
  return fromRatio('registry, If-None-Match', 0.7, ratio, {})
}

export const EVENT = {
  ...{ provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 300 },
  ...{ alias: 'summarizer', origin: 'bench' },
}
const LOG_CPU_MICROSECONDS_MAX = 110

/**
 * POST /api/v1/log, one event a request, against a server that reads and parses the same body and answers a constant, and
 * against the same binary that commits every event alone.
 */
export async function logEvents(stage: Stage): Promise<Result[]> {
  const order = { method: 'POST' as const, headers, path: '/api/v1/log', body: JSON.stringify(EVENT), expect: 'log_id' }
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const answer = await (await post(served, order.path, EVENT)).text()
  const bare = await startBare('parse', answer)
  const againstBare = await compare(stage.loads, { served, order }, { served: bare, order })
  await bare.stop()
  const single = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    ...{ LLMRING_USAGE_GROUP_ITEMS_MAX: '1', LLMRING_USAGE_LANES: '20' },
    // Half of the pool serves hot statements: twenty of them for twenty lanes.
    ...{ LLMRING_DATABASE_POOL_SIZE: '40', LLMRING_DATABASE_POOL_OVERFLOW: '0' },
  })
  const againstSingle = await compare(stage.loads, { served, order }, { served: single, order })
  const megabytes = residentMegabytes(served.pid)
  await Promise.all([served.stop(), single.stop()])
  const { cpuMicroseconds } = againstBare
  return [
    fromRatio('log, one event a request, against bare', 0.4, againstBare, {}),
    {
      ...{ name: 'log, CPU a request', goal: `<= ${LOG_CPU_MICROSECONDS_MAX} us` },
      ...{ holds: cpuMicroseconds <= LOG_CPU_MICROSECONDS_MAX, measured: `${Math.round(cpuMicroseconds)} us` },
      detail: { limit: LOG_CPU_MICROSECONDS_MAX },
    },
    fromRatio('log, one event a request, against groups of one', 2, againstSingle, {}),
    {
      ...{ name: 'resident memory after the load', goal: '< 200 MB', holds: megabytes < 200 },
      ...{ measured: `${Math.round(megabytes)} MB`, detail: { megabytes } },
    },
  ]
}

const BULK_ITEMS = 1_000
const BULK_RUNS = 60

/** bulk_upsert of 1,000 aliases, p95; every second run changes all of them. */
export async function bulkUpsert(stage: Stage): Promise<Result> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const milliseconds: number[] = []
  for (let run = 0; run < BULK_RUNS; run++) {
    const items = Array.from({ length: BULK_ITEMS }, (_, index) => ({
      alias: `alias-${index}`,
      model: `openai:model-${run % 2}`,
    }))
    const begun = performance.now()
    await post(served, '/api/v1/aliases/bulk_upsert', items)
    milliseconds.push(performance.now() - begun)
  }
  await served.stop()
  const p95 = quantile(milliseconds, 0.95)
  const detail = { p50: quantile(milliseconds, 0.5), p95, runs: BULK_RUNS }
  return {
    name: `bulk_upsert of ${BULK_ITEMS}`,
    goal: 'p95 < 100 ms',
    holds: p95 < 100,
    measured: `${p95.toFixed(1)} ms`,
    detail,
  }
}

const ISSUING_CONNECTIONS = 128
const ISSUING_PROJECTS = 50

/**
 * Issuing, stored and logged, against a server that parses the same claims, makes them canonical, signs and answers: for
 * one project, whose chain orders all of them, and for fifty.
 */
export async function issueStored(stage: Stage): Promise<Result[]> {
  return [await issueFor(stage, 1), await issueFor(stage, ISSUING_PROJECTS)]
}

async function issueFor(stage: Stage, projects: number): Promise<Result> {
  const served = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    ...{ LLMRING_NEW_PROJECTS_PER_MINUTE: '0', ...SIGNING },
  })
  const bare = await startBare('sign', SIGNING.LLMRING_RECEIPTS_PRIVATE_KEY_B64)
  const keys = Array.from({ length: projects }, (_, at) => `${KEY}-${at}`)
  const order = { method: 'POST' as const, headers, keys, path: '/api/v1/receipts/issue', expect: 'ed25519:' }
  const issuing = { ...order, body: JSON.stringify(CLAIMS) }
  const mine = { served, order: issuing }
  const ratio = await compare(stage.loads, mine, { served: bare, order: issuing }, ISSUING_CONNECTIONS)
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio(`receipts, issue and log, ${projects} project${projects === 1 ? '' : 's'}`, 0.3, ratio, {})
}

/** Verifying, against a server that parses the same receipt, makes it canonical and verifies. */
export async function verifyReceipt(stage: Stage): Promise<Result> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase(), ...SIGNING })
  const receipt = await (await post(served, '/api/v1/receipts/issue', CLAIMS)).text()
  const { x } = (await (await fetch(`${served.url}/receipts/public-key.jwk`)).json()) as { x: string }
  const bare = await startBare('verify', x)
  const order = { method: 'POST' as const, headers, path: '/api/v1/receipts/verify', expect: '"valid":true' }
  const verifying = { ...order, body: receipt }
  const ratio = await compare(stage.loads, { served, order: verifying }, { served: bare, order: verifying })
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio('receipts, verify', 0.6, ratio, {})
}

export const SIGNING = {
  LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
  LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 9).toString('base64url'),
  LLMRING_TLOG_GUARD: 'none',
}
export const CLAIMS = {
  ...{
    model: 'openai:gpt-4o-mini',
    alias: 'summarizer',
    profile: 'default',
    registry_version: 'openai@7',
    lock_digest: 'none',
  },
  tokens: { input: 1200, output: 300, cached_input: 0 },
  cost: { amount: '0.00036', calculation: '1200 input x 0.15/M + 300 output x 0.6/M' },
}

export async function post(served: Served, path: string, json: unknown): Promise<Response> {
  const response = await fetch(served.url + path, { method: 'POST', headers, body: JSON.stringify(json) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response
}

export function fromRatio(name: string, least: number, ratio: Ratio, more: Record<string, unknown>): Result {
  return {
    name,
    goal: `>= ${least}`,
    holds: ratio.ratio >= least,
    measured: ratio.ratio.toFixed(2),
    detail: { ...ratio, ...more },
  }
}
