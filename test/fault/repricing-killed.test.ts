import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Sql } from '../../src/db/client.js'
import { call } from '../support/call.js'
import { eventually } from '../support/eventually.js'
import { faultsInRollups } from '../support/kept-writes.js'
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.js'
import { runProgram, type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

const OPERATOR_KEY = 'operator-key-of-the-tests'
const BATCHES = 3
const EVENTS = 3_000
const MS_MAX = 60_000

let server: PostgresServer
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let origin: RegistryOrigin
let program: ServedProgram
let environment: Record<string, string>
const models = (input: number) => ({ 'google:a': { dollars_per_million_tokens_input: input } })
const fileOf = (version: number) => JSON.stringify({ provider: 'google', version, models: models(version) })

beforeAll(async () => {
  ;[server, directory, origin] = await Promise.all([
    startPostgresServer(),
    temporaryDirectory(),
    startRegistryOrigin(REGISTRY_FIXTURES),
  ])
  await server.ask('postgres', (sql) => sql.unsafe('create database repriced'))
  origin.put('google/v/2/models.json', fileOf(2))
  origin.put('google/v/3/models.json', fileOf(3))
  origin.put('google/models.json', fileOf(3))
  environment = {
    LLMRING_DATABASE_URL: server.url('repriced'),
    LLMRING_REGISTRY_BASE_URL: origin.url,
    LLMRING_ADMIN_KEY: OPERATOR_KEY,
    LLMRING_TLOG_GUARD: 'none',
  }
  program = await serveProgram(directory.path, environment)
})
afterAll(async () => {
  await stopProgram(program)
  await Promise.all([directory.remove(), origin.close()])
  await server.close()
})

const ask = <T>(work: (sql: Sql) => Promise<T>) => server.ask('repriced', work)
const found = (project: string) =>
  ask(async (sql) => {
    const [row] = await sql<{ status: string; events: number; changed: number }[]>`
      select status, (found ->> 'events')::int as events, (found ->> 'changed')::int as changed
      from reprice_jobs where project_id = ${project}`
    return row
  })
/** The lease of whoever is gone ends. */
const endLease = () => ask((sql) => sql`update reprice_jobs set due_at = now() where finished_at is null`)

async function prepare() {
  const operator = async (path: string, json: object) =>
    (await call(program.url, `/api/v1/admin/projects${path}`, { key: OPERATOR_KEY, json })).json
  const { id } = await operator('', {})
  const { key } = await operator(`/${id}/keys`, { role: 'admin' })
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const json = Array.from({ length: EVENTS }, (_, at) => ({
      ...{ provider: 'google', model: 'a', alias: `alias-${at % 7}`, input_tokens: 1_000, output_tokens: 0 },
      idempotency_key: randomUUID(),
    }))
    const answer = await call(program.url, '/api/v1/log/batch', { key, json })
    expect(answer.json.refused).toBe(0)
  }
  const period = { start: '2026-01-01', end: '2999-01-01' }
  const json = { ...period, registry_version: 'google@2', dry_run: false }
  const started = await call(program.url, '/api/v1/reprice', { key, json })
  expect(started.status).toBe(202)
  return { id, key }
}

it(
  'a repricing goes on behind its last chunk when the service, and then Postgres, is killed in the middle of it',
  async () => {
    const { id } = await prepare()
    const beyond = async (events: number) =>
      eventually(async () => expect((await found(id))?.events ?? 0).toBeGreaterThan(events), MS_MAX)
    await beyond(0)
    await stopProgram(program, 'SIGKILL')
    const left = await found(id)
    expect(left?.events).toBeGreaterThan(0)
    program = await serveProgram(directory.path, environment)
    await endLease()
    await beyond(left?.events ?? 0)
    await server.restart('SIGKILL')
    await endLease()
    await eventually(async () => expect((await found(id))?.status).toBe('done'), MS_MAX)

    expect(await found(id)).toEqual({ status: 'done', events: BATCHES * EVENTS, changed: BATCHES * EVENTS })
    await ask(async (sql) => {
      const rows = await sql`
        select cost::text, jsonb_array_length(earlier_prices) as earlier, count(*)::int as n from usage_logs
        where project_id = ${id} group by 1, 2`
      expect([...rows]).toEqual([{ cost: '0.002000000000', earlier: 1, n: BATCHES * EVENTS }])
      expect(await faultsInRollups(sql)).toEqual([])
    })
    const check = await runProgram(['rollups', 'check'], directory.path, environment)
    expect([check.code, check.stdout]).toEqual([0, 'The sums are those of the events.\n'])
  },
  3 * MS_MAX,
)
