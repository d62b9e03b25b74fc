import { generateKeyPairSync, sign } from 'node:crypto'
import { type Contender, compare, quantile, type Ratio } from './pairs.js'
import { type Load, residentMegabytes, type Served, startBare, startBuilt, startUnkept } from './processes.js'

export type Result = {
  readonly name: string
  readonly goal: string
  readonly holds: boolean
  readonly measured: string
  readonly detail: unknown
}
export type Stage = {
  readonly load: Load
  /** A database of its own for a server, on the one Postgres of the bench. */
  readonly newDatabase: () => Promise<string>
}

const KEY = 'bench-project-key'
const headers = { 'X-Project-Key': KEY, 'Content-Type': 'application/json' }
const LOGGED_ALL = { LLMRING_ACCESS_LOG: '1' }

/** GET resolve, warm, through the full stack, against a server that answers a constant. */
export async function resolveWarm(stage: Stage, share: 'as shipped' | 'every request'): Promise<Result> {
  const served = await startBuilt({
    LLMRING_DATABASE_URL: await stage.newDatabase(),
    ...(share === 'every request' ? LOGGED_ALL : {}),
  })
  await post(served, '/api/v1/aliases/bind', { alias: 'summarizer', model: 'openai:gpt-4o-mini' })
  const path = '/api/v1/aliases/resolve?alias=summarizer'
  const answer = await (await fetch(served.url + path, { headers })).text()
  const bare = await startBare('constant', answer)
  const order = { method: 'GET' as const, headers, path, expect: '"openai:gpt-4o-mini"' }
  const ratio = await compare(stage.load, { served, order }, { served: bare, order })
  const megabytes = residentMegabytes(served.pid)
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio(`resolve, warm, logging ${share}`, share === 'as shipped' ? 0.45 : 0.3, ratio, {
    residentMegabytes: megabytes,
  })
}

/** POST /api/v1/log, one event a request, against the same binary that commits every event alone. */
export async function logGrouped(stage: Stage): Promise<Result[]> {
  const grouped = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase() })
  const single = await startBuilt({
    ...{
      LLMRING_DATABASE_URL: await stage.newDatabase(),
      LLMRING_USAGE_GROUP_ITEMS_MAX: '1',
      LLMRING_USAGE_LANES: '20',
    },
    // Half of the pool serves hot statements: twenty of them for twenty lanes.
    ...{ LLMRING_DATABASE_POOL_SIZE: '40', LLMRING_DATABASE_POOL_OVERFLOW: '0' },
  })
  const event = {
    provider: 'openai',
    model: 'gpt-4o-mini',
    input_tokens: 1200,
    output_tokens: 300,
    alias: 'summarizer',
    origin: 'bench',
  }
  const order = { method: 'POST' as const, headers, path: '/api/v1/log', body: JSON.stringify(event), expect: 'log_id' }
  const ratio = await compare(stage.load, { served: grouped, order }, { served: single, order })
  const megabytes = residentMegabytes(grouped.pid)
  await Promise.all([grouped.stop(), single.stop()])
  return [
    fromRatio('log, one event a request', 2, ratio, {}),
    {
      ...{ name: 'resident memory after the load', goal: '< 250 MB', holds: megabytes < 250 },
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

/** Issuing, stored, against the same route that signs and keeps nothing, in one process. */
export async function issueStored(stage: Stage): Promise<Result> {
  const served = await startUnkept({ LLMRING_DATABASE_URL: await stage.newDatabase(), ...SIGNING })
  const contender = (path: string): Contender => ({
    ...{ served, order: { method: 'POST', headers, path, body: JSON.stringify(CLAIMS), expect: 'ed25519:' } },
  })
  const ratio = await compare(stage.load, contender('/api/v1/receipts/issue'), contender('/unkept'))
  await served.stop()
  return fromRatio('receipts, issue and store', 0.4, ratio, {})
}

/** Verifying, against node:crypto behind a bare server. */
export async function verifyReceipt(stage: Stage): Promise<Result> {
  const served = await startBuilt({ LLMRING_DATABASE_URL: await stage.newDatabase(), ...SIGNING })
  const receipt = await (await post(served, '/api/v1/receipts/issue', CLAIMS)).text()
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signature = sign(null, Buffer.from(receipt), privateKey).toString('base64url')
  const bare = await startBare('verify', publicKey.export({ format: 'jwk' }).x ?? '')
  const order = { method: 'POST' as const, headers }
  const ratio = await compare(
    stage.load,
    { served, order: { ...order, path: '/api/v1/receipts/verify', body: receipt, expect: '"valid":true' } },
    {
      served: bare,
      order: { ...order, path: '/', body: JSON.stringify({ message: receipt, signature }), expect: '"valid":true' },
    },
  )
  await Promise.all([served.stop(), bare.stop()])
  return fromRatio('receipts, verify', 0.4, ratio, {})
}

const SIGNING = { LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url') }
const CLAIMS = {
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

async function post(served: Served, path: string, json: unknown): Promise<Response> {
  const response = await fetch(served.url + path, { method: 'POST', headers, body: JSON.stringify(json) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response
}

function fromRatio(name: string, least: number, ratio: Ratio, more: Record<string, unknown>): Result {
  return {
    name,
    goal: `>= ${least}`,
    holds: ratio.ratio >= least,
    measured: ratio.ratio.toFixed(2),
    detail: { ...ratio, ...more },
  }
}
