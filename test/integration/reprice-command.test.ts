import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RunningService
let project: string
let key: string

const fileOf = (version: number) => {
  const models = { 'google:a': { dollars_per_million_tokens_input: version } }
  return JSON.stringify({ provider: 'google', version, models })
}
const operator = (path: string, json: object) => one.call(`/api/v1/admin/projects${path}`, { key: OPERATOR_KEY, json })

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  for (const version of [2, 3]) origin.put(`google/v/${version}/models.json`, fileOf(version))
  origin.put('google/models.json', fileOf(3))
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_REGISTRY_BASE_URL: origin.url })
  project = (await operator('', {})).json.id
  key = (await operator(`/${project}/keys`, { role: 'admin' })).json.key
  for (const cost of [undefined, undefined, 1]) {
    const json = { provider: 'google', model: 'a', input_tokens: 1_000, output_tokens: 0, cost }
    expect((await one.call('/api/v1/log', { key, json })).status).toBe(200)
  }
})
afterAll(async () => {
  await one.close()
  await Promise.all([origin.close(), database.drop()])
})

const reprice = (args: string, environment: Record<string, string> = {}) =>
  runCommand(['reprice', '2026-01-01', '2999-01-01', ...args.split(' ').filter((arg) => arg !== '')], {
    ...{ LLMRING_SERVER_URL: one.url, LLMRING_PROJECT_KEY: key },
    ...environment,
  })
const costs = async () => {
  const { json } = await one.call('/api/v1/logs', { key })
  return json.map(({ cost_decimal }: { cost_decimal: string }) => cost_decimal).sort()
}

describe('reprice', () => {
  it('shows by model what would change, and changes nothing in a dry run', async () => {
    const { code, stdout, stderr } = await reprice('--registry-version google@2 --dry-run')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual([
      'a: 3 of 3 events change, 1.006000000000 USD → 1.004000000000 USD',
      'done: 3 of 3 events change, 1.006000000000 USD → 1.004000000000 USD',
      'Nothing was changed: a dry run.',
      '',
    ])
    expect(await costs()).toEqual(['0.003000000000', '0.003000000000', '1.000000000000'])
  })

  it('changes it, and says so as JSON', async () => {
    const { code, stdout } = await reprice('--registry-version google@2 --json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'done', events: 3, changed: 3, registry_version: 'google@2' })
    expect(await costs()).toEqual(['0.002000000000', '0.002000000000', '1.000000000000'])
  })

  it('names what a receipt certifies, and leaves it as it is', async () => {
    const [log] = (await one.call('/api/v1/logs', { key })).json
    const made = await one.call('/api/v1/receipts/generate', { key, json: { since_last_receipt: true } })
    expect([made.status, made.json.certified_count, typeof log.id]).toEqual([200, 3, 'string'])
    const before = await costs()
    const { code, stdout } = await reprice('--registry-version google@3')
    expect(code).toBe(0)
    expect(stdout).toContain('certified, and left as they are: 3, 1.004000000000 USD (1.006000000000)')
    expect(stdout).toContain('done: 0 of 3 events change')
    expect(await costs()).toEqual(before)
  })

  it('ends with 1 if it was cancelled, or failed, and says why', async () => {
    await one.sql`
      create function end_at_once() returns trigger language plpgsql as $$ begin
        new.status = 'failed'; new.last_failure = 'The registry has no google@3 any more.'; new.finished_at = now();
        new.due_at = null; return new; end $$`
    await one.sql`create trigger end_at_once before insert on reprice_jobs for each row execute function end_at_once()`
    const { code, stdout } = await reprice('--registry-version google@3')
    await one.sql`drop trigger end_at_once on reprice_jobs`
    expect([code, stdout]).toEqual([1, expect.stringContaining('failed (The registry has no google@3 any more.)')])
  })

  it.each([
    ['--registry-version google@99', {}, 1, 'status 422'],
    ['', { LLMRING_PROJECT_KEY: 'a-key-of-nobody' }, 1, 'status 403'],
    ['', { LLMRING_SERVER_URL: '' }, 78, 'LLMRING_SERVER_URL'],
  ])('refuses %j with %j', async (args, environment, code, words) => {
    const ran = await reprice(args, environment)
    expect([ran.code, ran.stdout, ran.stderr.includes(words)]).toEqual([code, '', true])
  })
})
