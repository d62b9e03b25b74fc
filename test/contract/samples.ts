import { createHash, randomUUID } from 'node:crypto'
import { NOTHING_FOUND } from '../../src/features/repricing/tally.js'
import { eventually } from '../support/eventually.js'
import type { Contract, TestProject } from './open-contract.js'

/** A request that the service must serve. */
export type Sample = {
  readonly path: string
  readonly status: number
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Of a project of its own, which the request ends. */
  readonly key?: string
}

export const bindingOf = (alias: string) => ({ alias, model: 'openai:gpt-4o-mini', metadata: { owner: 'search' } })
/** That of the first test of RFC 8032. */
export const PARTNER_KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
export const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 340 }
const CHAT = { model: 'parrot', messages: [{ role: 'user', content: 'Say it again' }] }
const WORKFLOW = 'start_ops: [say]\nend_ops: [say]\nops: { say: { prompt: "{{input}}", tier: 2 } }\n'
/** No name server knows the name. */
const WEBHOOK = { url: 'https://hooks.llmring.invalid/aliases' }
const BUDGETS = {
  budgets: [
    { amount: '250.00', period: 'month', tz: 'Europe/Berlin' },
    { alias: 'a', amount: '1', period: 'day' },
  ],
}
export const claimsOf = (id: string) => ({
  ...{ id, timestamp: '2026-01-31T12:00:00Z', registry_version: 'openai@2', model: 'openai:gpt-4o-mini' },
  ...{ alias: 'summarizer', profile: 'default', lock_digest: 'sha256:9f86d081', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036', calculation: '1200 x 0.15 + 300 x 0.60 per million' },
})

/** Some objects exist before each sample, so that answers have something in them. */
async function bind(contract: Contract, project: TestProject, alias: string): Promise<string> {
  await contract.ask('/api/v1/aliases/bind', { key: project.key, json: bindingOf(alias) })
  return alias
}

async function issue(contract: Contract, project: TestProject, id: string): Promise<unknown> {
  return (await contract.ask('/api/v1/receipts/issue', { key: project.key, json: claimsOf(id) })).json
}

/** Issues a receipt, waits until a checkpoint that every instance shows covers it, and gives its entry. */
export async function logged(contract: Contract, project: TestProject, id = fresh('logged')): Promise<string> {
  const json = claimsOf(id)
  const { text } = await contract.ask('/api/v1/receipts/issue', { key: project.key, json })
  const hash = createHash('sha256').update(text).digest('hex')
  await eventually(async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const { status } = await contract.ask(`/log/proof?hash=${hash}`)
      if (status !== 200) throw new Error(`the entry of a receipt is not logged: ${status}`)
    }
  })
  return hash
}

async function log(contract: Contract, { key }: TestProject): Promise<string> {
  const answer = await contract.ask('/api/v1/log', { key, json: { ...EVENT, alias: 'summarizer', origin: 'nightly' } })
  return (answer.json as { log_id: string }).log_id
}

/** A receipt over one logged call. */
export async function certify(contract: Contract, project: TestProject): Promise<{ receiptId: string; logId: string }> {
  const logId = await log(contract, project)
  const answer = await contract.ask('/api/v1/receipts/generate', { key: project.key, json: { log_ids: [logId] } })
  return { receiptId: (answer.json as { receipt: { id: string } }).receipt.id, logId }
}

/** A repricing that is over, as only one at a time may not be. */
export async function addRepricing(
  contract: Contract,
  projectId: string,
  jobId: string = randomUUID(),
): Promise<string> {
  const found = JSON.stringify({ ...NOTHING_FOUND, by_model: { 'gpt-4o-mini': A_MODEL } })
  await contract.service.resources.database.sql`
    insert into reprice_jobs (project_id, id, created_at, from_at, until_at, registry_version, dry_run, status, found,
      failures, finished_at)
    values (${projectId}, ${jobId}, now(), '2026-01-01', '2026-02-01', 'openai@2', true, 'done', ${found}, 0, now())`
  return jobId
}
const A_MODEL = { events: 1, changed: 1, cost_before: '0.000384000000', cost_after: '0.000400000000' }

/** When no repricing of the project is under way. */
async function withoutRepricing(contract: Contract, { id }: TestProject): Promise<void> {
  await eventually(async () => {
    const { sql } = contract.service.resources.database
    const open = await sql`select 1 from reprice_jobs where project_id = ${id} and finished_at is null`
    if (open.length > 0) throw new Error('a repricing is under way')
  })
}

/** One profile of its own: the rest of the project is left as it is. */
export const lockfileSample = (profile: string): Sample => ({
  ...{ path: `/api/v1/lockfile?profile=${profile}`, status: 200 },
  json: { profiles: { [profile]: { bindings: [{ alias: 'summarizer', models: ['openai:gpt-4o-mini'] }] } } },
})

/** Gives the digest of the project's lockfile. */
export async function publishLockfile(contract: Contract, { key }: TestProject): Promise<string> {
  const { path, json } = lockfileSample(fresh('profile'))
  const answer = await contract.ask(path, { method: 'PUT', key, json })
  return answer.headers.get('x-lock-digest') ?? ''
}

const fresh = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`
const get = (path: string): Sample => ({ path, status: 200 })
const admin = (rest = ''): string => `/api/v1/admin/projects${rest}`

type Prepare = (contract: Contract, project: TestProject) => Sample | Promise<Sample>
const plain =
  (path: string): Prepare =>
  () =>
    get(path)

/** For every operation of the document, a request that succeeds. An operation without one fails the suite. */
export const SAMPLES: Readonly<Record<string, Prepare>> = {
  'GET /': plain('/'),
  'GET /health': plain('/health'),
  'GET /livez': plain('/livez'),
  'GET /readyz': plain('/readyz'),
  'GET /metrics': plain('/metrics'),
  'GET /openapi.json': plain('/openapi.json'),
  'GET /verify': plain('/verify'),
  'GET /docs': plain('/docs'),
  'GET /docs/{file}': plain('/docs/swagger-ui.css'),

  'GET /registry': plain('/registry?providers=openai,anthropic&capabilities=vision'),
  'GET /registry.json': plain('/registry.json'),
  'GET /registry/v/{n}/registry.json': plain('/registry/v/2/registry.json'),
  'GET /registry/diff': plain('/registry/diff?provider=anthropic&from=2&to=3'),
  'GET /registry/prices/{provider}/{model}': plain('/registry/prices/openai/gpt-4o-mini'),
  'GET /registry/manifest.json': plain('/registry/manifest.json'),
  'GET /registry/{provider}/models.json': plain('/registry/openai/models.json'),
  'GET /registry/{provider}/v/{n}/models.json': plain('/registry/anthropic/v/2/models.json'),

  'GET /api/v1/drift': async (contract, project) => {
    await bind(contract, project, fresh('drifting'))
    return get('/api/v1/drift')
  },
  'GET /api/v1/aliases/resolve': async (contract, project) =>
    get(`/api/v1/aliases/resolve?alias=${await bind(contract, project, fresh('alias'))}`),
  'GET /api/v1/aliases/': async (contract, project) => {
    await bind(contract, project, fresh('alias'))
    return get('/api/v1/aliases/')
  },
  'POST /api/v1/aliases/bulk_upsert': () => ({
    ...get('/api/v1/aliases/bulk_upsert?profile=staging'),
    json: [bindingOf(fresh('alias')), { ...bindingOf(fresh('alias')), profile: 'prod' }],
  }),
  'POST /api/v1/aliases/bind': () => ({ ...get('/api/v1/aliases/bind'), json: bindingOf(fresh('alias')) }),
  'GET /api/v1/aliases/{alias}': async (contract, project) =>
    get(`/api/v1/aliases/${await bind(contract, project, fresh('alias'))}`),
  'PUT /api/v1/aliases/{alias}': () => ({
    ...get(`/api/v1/aliases/${fresh('alias')}?profile=prod`),
    json: { models: ['openai:gpt-4o-mini', 'anthropic:claude-3-5-haiku'], constraints: { min_context: 1000 } },
  }),
  'DELETE /api/v1/aliases/{alias}': async (contract, project) =>
    get(`/api/v1/aliases/${await bind(contract, project, fresh('alias'))}`),

  'GET /api/v1/history': async (contract, project) => {
    await bind(contract, project, fresh('alias'))
    return get('/api/v1/history?limit=10')
  },
  'GET /api/v1/profiles': async (contract, project) => {
    await bind(contract, project, fresh('alias'))
    return get('/api/v1/profiles')
  },
  'POST /api/v1/rollback': async (contract, project) => {
    await bind(contract, project, fresh('alias'))
    return { ...get('/api/v1/rollback'), json: { to_revision: 0, dry_run: true } }
  },
  'POST /api/v1/profiles/{from}/promote': async (contract, project) => {
    const alias = await bind(contract, project, fresh('alias'))
    return { ...get('/api/v1/profiles/default/promote'), json: { to: fresh('profile'), aliases: [alias] } }
  },

  'PUT /api/v1/lockfile': () => lockfileSample(fresh('profile')),
  'GET /api/v1/lockfile': async (contract, project) => {
    await publishLockfile(contract, project)
    return get('/api/v1/lockfile')
  },
  'GET /api/v1/lockfile/{digest}': async (contract, project) =>
    get(`/api/v1/lockfile/${await publishLockfile(contract, project)}`),

  'PUT /api/v1/webhook': () => ({ ...get('/api/v1/webhook'), json: WEBHOOK }),
  'GET /api/v1/webhook': async (contract, project) => {
    await contract.ask('/api/v1/webhook', { method: 'PUT', key: project.key, json: WEBHOOK })
    return get('/api/v1/webhook')
  },
  'DELETE /api/v1/webhook': plain('/api/v1/webhook'),

  'PUT /api/v1/budgets': () => ({ ...get('/api/v1/budgets'), json: BUDGETS }),
  'GET /api/v1/budgets': async (contract, project) => {
    await contract.ask('/api/v1/budgets', { method: 'PUT', key: project.key, json: BUDGETS })
    return get('/api/v1/budgets')
  },
  'DELETE /api/v1/budgets': plain('/api/v1/budgets'),

  'DELETE /api/v1/project': async (contract) => {
    const { id, key } = await contract.makeProject()
    return { ...get(`/api/v1/project?confirm=${id}`), key }
  },

  'GET /api/v1/sync': async (contract, project) => {
    await bind(contract, project, fresh('alias'))
    return get('/api/v1/sync?profile=default&since=0')
  },

  'POST /api/v1/log': () => ({ ...get('/api/v1/log'), json: { ...EVENT, cost: 0.01, metadata: { run: 17 } } }),
  'POST /api/v1/log/batch': () => ({ ...get('/api/v1/log/batch'), json: [EVENT, { ...EVENT, model: 'unheard-of' }] }),
  'GET /api/v1/logs': async (contract, project) => {
    await log(contract, project)
    return get('/api/v1/logs?limit=5')
  },
  'GET /api/v1/export': async (contract, project) => {
    await log(contract, project)
    return get('/api/v1/export?alias=summarizer')
  },
  'GET /api/v1/stats': async (contract, project) => {
    await log(contract, project)
    return get('/api/v1/stats?group_by=week')
  },

  'POST /api/v1/reprice': async (contract, project) => {
    await withoutRepricing(contract, project)
    const json = { start: '2026-01-01', end: '2026-01-31', registry_version: 'openai@2', dry_run: true }
    return { path: '/api/v1/reprice', status: 202, json }
  },
  'GET /api/v1/reprice': async (contract, project) => {
    await addRepricing(contract, project.id)
    return get('/api/v1/reprice')
  },
  'GET /api/v1/reprice/{job_id}': async (contract, project) =>
    get(`/api/v1/reprice/${await addRepricing(contract, project.id)}`),
  'DELETE /api/v1/reprice/{job_id}': async (contract, project) =>
    get(`/api/v1/reprice/${await addRepricing(contract, project.id)}`),

  'GET /log/checkpoint': plain('/log/checkpoint'),
  'GET /log/checkpoint/witnessed': plain('/log/checkpoint/witnessed'),
  'GET /log/tile/{level}/{index}': async (contract, project) => {
    await logged(contract, project)
    return get('/log/tile/0/000.p/1')
  },
  'GET /log/vkey': plain('/log/vkey'),
  'GET /log/policy': plain('/log/policy'),
  'GET /log/proof': async (contract, project) => get(`/log/proof?hash=${await logged(contract, project)}`),
  'GET /log/consistency': plain('/log/consistency?from=0'),

  'GET /receipts/public-key.pem': plain('/receipts/public-key.pem'),
  'GET /receipts/public-key.jwk': plain('/receipts/public-key.jwk'),
  'GET /receipts/key-statements.ndjson': plain('/receipts/key-statements.ndjson'),
  'GET /receipts/public-keys.json': plain('/receipts/public-keys.json'),
  'GET /api/v1/receipts/public-key.pem': plain('/api/v1/receipts/public-key.pem'),
  'GET /api/v1/receipts/public-key.jwk': plain('/api/v1/receipts/public-key.jwk'),
  'GET /api/v1/receipts/public-keys.json': plain('/api/v1/receipts/public-keys.json'),
  'POST /api/v1/receipts/issue': () => ({ ...get('/api/v1/receipts/issue'), json: claimsOf(fresh('receipt')) }),
  'POST /api/v1/receipts/verify': async (contract) => ({
    ...get('/api/v1/receipts/verify'),
    json: await issue(contract, contract.theirs, fresh('receipt')),
  }),
  'POST /api/v1/receipts/': async (contract, project) => ({
    ...get('/api/v1/receipts/'),
    json: { receipt: await issue(contract, project, fresh('receipt')) },
  }),
  'POST /api/v1/receipts/generate': async (contract, project) => ({
    ...get('/api/v1/receipts/generate'),
    json: { log_ids: [await log(contract, project)], description: 'January', tags: ['billing'] },
  }),
  'POST /api/v1/receipts/preview': async (contract, project) => {
    await log(contract, project)
    return { ...get('/api/v1/receipts/preview'), json: { start_date: '2026-01-01', end_date: '2999-12-31' } }
  },
  'GET /api/v1/receipts/uncertified': async (contract, project) => {
    await log(contract, project)
    return get('/api/v1/receipts/uncertified?limit=5')
  },
  'GET /api/v1/receipts/{id}/logs': async (contract, project) =>
    get(`/api/v1/receipts/${(await certify(contract, project)).receiptId}/logs`),
  'GET /api/v1/receipts/{id}/logs/{log_id}/proof': async (contract, project) => {
    const { receiptId, logId } = await certify(contract, project)
    return get(`/api/v1/receipts/${receiptId}/logs/${logId}/proof`)
  },
  'POST /api/v1/receipts/keys': () => ({
    ...{ path: '/api/v1/receipts/keys', status: 201 },
    json: {
      public_key: PARTNER_KEY,
      key_id: 'key-of-a-partner',
      label: 'A partner',
      not_after: '2999-01-01T00:00:00Z',
    },
  }),
  'GET /api/v1/receipts/keys': plain('/api/v1/receipts/keys'),
  'DELETE /api/v1/receipts/keys/{kid}': plain('/api/v1/receipts/keys/key-of-a-partner'),
  'GET /api/v1/receipts/': async (contract, project) => {
    await issue(contract, project, fresh('receipt'))
    return get('/api/v1/receipts/?limit=5')
  },
  'GET /api/v1/receipts/{id}': async (contract, project) => {
    const id = fresh('receipt')
    await issue(contract, project, id)
    return get(`/api/v1/receipts/${id}`)
  },
  'GET /api/v1/receipts/{id}/proof': async (contract, project) => {
    const id = fresh('receipt')
    await logged(contract, project, id)
    return get(`/api/v1/receipts/${id}/proof`)
  },
  'GET /api/v1/receipts/export': async (contract, project) => {
    await logged(contract, project)
    return get('/api/v1/receipts/export?from_seq=1&limit=3')
  },
  'DELETE /api/v1/receipts/{id}': async (contract, project) => {
    const id = fresh('receipt')
    await issue(contract, project, id)
    return get(`/api/v1/receipts/${id}`)
  },

  'POST /v1/chat/completions': () => ({ ...get('/v1/chat/completions'), json: CHAT }),
  'POST /v1/messages': () => ({ ...get('/v1/messages'), json: { ...CHAT, max_tokens: 50 } }),
  'POST /v1/messages/count_tokens': () => ({ ...get('/v1/messages/count_tokens'), json: CHAT }),
  'POST /v1/workflows': () => ({ ...get('/v1/workflows'), json: { input: 'Say it', workflow: WORKFLOW } }),
  'GET /v1/backends': plain('/v1/backends'),
  'GET /api/v1/gateway/settings': plain('/api/v1/gateway/settings'),
  'PUT /api/v1/gateway/settings': () => ({ ...get('/api/v1/gateway/settings'), json: { receipts: 'on_request' } }),
  'POST /v1/feedback': () => ({ ...get('/v1/feedback'), json: { score: 0.25, tier: 1, quality: 0.9 } }),
  'GET /stats': plain('/stats'),
  'GET /v1/models': plain('/v1/models'),
  'GET /v1/models/{model_id}': async (contract, project) =>
    get(`/v1/models/${await bind(contract, project, fresh('alias'))}`),

  'GET /api/v1/keys': plain('/api/v1/keys'),
  'POST /api/v1/keys': () => ({ path: '/api/v1/keys', status: 201, json: { name: 'ci', role: 'log' } }),
  'DELETE /api/v1/keys/{key_id}': async (contract, project) =>
    get(`/api/v1/keys/${(await contract.makeKey(project.id, 'read')).id}`),

  [`POST ${admin()}`]: () => ({ path: admin(), status: 201, json: { name: 'Billing' } }),
  [`GET ${admin()}`]: plain(admin('?limit=2')),
  [`GET ${admin('/{id}')}`]: (_contract, project) => get(admin(`/${project.id}`)),
  [`DELETE ${admin('/{id}')}`]: async (contract) => get(admin(`/${(await contract.makeProject()).id}`)),
  [`GET ${admin('/{id}/export')}`]: (_contract, project) => get(admin(`/${project.id}/export`)),
  [`POST ${admin('/{id}/keys')}`]: (_contract, project) => ({
    ...{ path: admin(`/${project.id}/keys`), status: 201 },
    json: { name: 'ci', role: 'log' },
  }),
  [`GET ${admin('/{id}/keys')}`]: (_contract, project) => get(admin(`/${project.id}/keys`)),
  [`DELETE ${admin('/{id}/keys/{key_id}')}`]: async (contract, project) => {
    const { id } = await contract.makeKey(project.id, 'read')
    return get(admin(`/${project.id}/keys/${id}`))
  },
}

/** The sample of an operation, with what it needs made. */
export async function sampleOf(contract: Contract, name: string, project = contract.ours): Promise<Sample> {
  const prepare = SAMPLES[name]
  if (prepare === undefined) throw new Error(`There is no sample request for ${name}: add one to SAMPLES.`)
  return prepare(contract, project)
}

const unserved = new WeakMap<Contract, Map<string, Promise<Sample>>>()

/** The sample of an operation for requests that are refused: what it needs is made once, as nothing uses it up. */
export function refusedSampleOf(contract: Contract, name: string): Promise<Sample> {
  const known = unserved.get(contract) ?? new Map<string, Promise<Sample>>()
  unserved.set(contract, known)
  const sample = known.get(name) ?? sampleOf(contract, name)
  known.set(name, sample)
  return sample
}
