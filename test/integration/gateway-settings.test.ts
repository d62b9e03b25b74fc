import { afterAll, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createCertifiedProjects } from '../../src/features/gateway/account/certified-projects.js'
import { eventually } from '../support/eventually.js'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

const CHAT = '/v1/chat/completions'
const SETTINGS = '/api/v1/gateway/settings'
const config = {
  providers: [
    { name: 'echo', type: 'echo', model: 'parrot' },
    { name: 'broken', type: 'echo', model: 'mute', mock_failure_rate: 1 },
  ],
}
const world = await startGateway(config)
const { sql } = world.service
afterAll(() => world.close())

const messages = [{ role: 'user', content: 'Say it' }]
const call = { model: 'echo:parrot', messages }
const idOf = (response: Response) => response.headers.get('x-llmring-receipt-id')

/** The id of a project, known by a call that it made. */
async function projectIdOf(project: GatewayProject): Promise<ProjectId> {
  await (await project.post(CHAT, call)).text()
  const [row] = await sql<{ id: ProjectId }[]>`
    select project_id as id from project_keys where key_hash = sha256(${project.key}::text::bytea)`
  if (row === undefined) throw new Error('the project is not there')
  return row.id
}

type Wish = 'every_call' | 'on_request'
/** Sets it, as an administrator of the project does. */
async function set(id: ProjectId, receipts: Wish, service: RunningService = world.service): Promise<number> {
  const path = `/api/v1/admin/projects/${id}/keys`
  const made = await service.call(path, { method: 'POST', key: OPERATOR_KEY, json: { role: 'admin' } })
  const { key } = made.json as { key: string }
  return (await service.call(SETTINGS, { method: 'PUT', key, json: { receipts } })).status
}

async function certified(): Promise<{ project: GatewayProject; id: ProjectId }> {
  const project = world.project()
  const id = await projectIdOf(project)
  expect(await set(id, 'every_call')).toBe(200)
  return { project, id }
}

const receiptOf = async (project: GatewayProject, id: string | null) =>
  (await world.service.call(`/api/v1/receipts/${id}`, { key: project.key })).json as Record<string, unknown>

describe('a project that wants a receipt of every call', () => {
  test.each([
    [CHAT, false],
    [CHAT, true],
    ['/v1/messages', false],
    ['/v1/messages', true],
  ])('gets one from %s, unasked (stream: %s)', async (path, stream) => {
    const { project } = await certified()
    const response = await project.post(path, { ...call, max_tokens: 50, stream })
    await response.text()
    expect(response.status).toBe(200)
    expect(await receiptOf(project, idOf(response))).toMatchObject({
      ...{ id: idOf(response), evidence: 'server_observed', model: 'echo:parrot' },
    })
  })

  test('gets one also where the call says that it wants none', async () => {
    const { project } = await certified()
    const response = await project.post(CHAT, call, { headers: { 'X-LLMRing-Receipt': 'false' } })
    expect(await receiptOf(project, idOf(response))).toMatchObject({ evidence: 'server_observed' })
  })

  test('gets no answer out of the cache, and shares no call: each receipt is of a call that was made', async () => {
    const project = world.project()
    const id = await projectIdOf(project)
    const repeated = { ...call, temperature: 0 }
    await (await project.post(CHAT, repeated)).text()
    expect((await project.post(CHAT, repeated)).headers.get('x-llm-router-cache')).toBe('HIT')
    await set(id, 'every_call')
    const answers = await Promise.all(Array.from({ length: 5 }, () => project.post(CHAT, repeated)))
    expect(answers.map((one) => one.headers.get('x-llm-router-cache'))).toEqual(Array(5).fill('MISS'))
    expect(new Set(answers.map(idOf)).size).toBe(5)
    for (const one of answers)
      expect(await receiptOf(project, idOf(one))).toMatchObject({ evidence: 'server_observed' })
  })

  test('gets one of each call that a workflow makes', async () => {
    const { project } = await certified()
    const workflow =
      'start_ops: [one]\nend_ops: [two]\nops:\n  one: { prompt: "{{input}}", tier: 2, model: "echo:parrot", output_ops: [two] }\n  two: { prompt: "{{one}}", tier: 2, model: "echo:parrot", input_ops: [one] }\n'
    expect((await project.post('/v1/workflows', { input: 'Say it', workflow })).status).toBe(200)
    const { receipts } = (await world.service.call('/api/v1/receipts/', { key: project.key })).json as {
      receipts: { evidence: string }[]
    }
    expect(receipts.map(({ evidence }) => evidence)).toEqual(['server_observed', 'server_observed'])
  })

  test('gets none of a call that failed', async () => {
    const { project } = await certified()
    const response = await project.post(CHAT, { ...call, model: 'broken:mute' })
    expect([response.status >= 500, idOf(response)]).toEqual([true, null])
  })

  test('changes nothing for another', async () => {
    await certified()
    const stranger = world.project()
    expect(idOf(await stranger.post(CHAT, call))).toBeNull()
    const shown = await world.service.call(SETTINGS, { key: stranger.key })
    expect(shown.json).toEqual({ receipts: 'on_request' })
  })

  test('is one no longer once it says so', async () => {
    const { project, id } = await certified()
    const shown = await world.service.call(SETTINGS, { key: project.key })
    expect(shown.json).toEqual({ receipts: 'every_call' })
    expect(await set(id, 'on_request')).toBe(200)
    expect(idOf(await project.post(CHAT, call))).toBeNull()
  })

  test('is one no longer when it is erased', async () => {
    const { id } = await certified()
    await world.service.call(`/api/v1/admin/projects/${id}`, { method: 'DELETE', key: OPERATOR_KEY })
    expect(await sql`select id from projects where id = ${id} and certifies_calls`).toHaveLength(0)
  })

  test('is one for every instance soon, and makes no call where none can sign', async () => {
    const { project, id } = await certified()
    const other = await startService({
      ...{ LLMRING_DATABASE_URL: world.databaseUrl, LLMRING_ROUTER_CONFIG: world.file },
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: '',
    })
    try {
      const ask = () => other.call(CHAT, { method: 'POST', key: project.key, json: call })
      expect((await ask()).json).toMatchObject({ code: 'receipts-not-configured' })
      await set(id, 'on_request')
      await eventually(async () => expect((await ask()).status).toBe(200), 60_000)
      expect(await set(id, 'every_call', other)).toBeGreaterThanOrEqual(400)
    } finally {
      await other.close()
    }
  })
})

describe('what a project set', () => {
  const mine = 'mine' as ProjectId
  const store = { find: () => Promise.resolve(false), set: () => Promise.resolve(true) }

  test('is read once by all that wait for it, and from memory while that is fresh', async () => {
    let [reads, now] = [0, 0]
    const find = () => {
      reads += 1
      return Promise.resolve(true)
    }
    const projects = createCertifiedProjects({ ...store, find }, () => now, 1_000)
    expect(await Promise.all([projects.read(mine), projects.read(mine)])).toEqual([true, true])
    now = 999
    expect(projects.read(mine)).toBe(true)
    expect(reads).toBe(1)
    now = 1_000
    expect(await projects.read(mine)).toBe(true)
    expect(reads).toBe(2)
    projects.forget(mine)
    expect(await projects.read(mine)).toBe(true)
    expect(reads).toBe(3)
  })

  test('is not undone by a read that had begun before it', async () => {
    let resolve: (found: boolean) => void = () => undefined
    const found = new Promise<boolean>((done) => {
      resolve = done
    })
    const projects = createCertifiedProjects({ ...store, find: () => found }, () => 0, 1_000)
    const early = projects.read(mine)
    await projects.set(mine, true)
    resolve(false)
    expect(await early).toBe(true)
    expect(projects.read(mine)).toBe(true)
  })

  test('goes on as it was known while the database is away, and without that no call is made', async () => {
    let [isAway, now] = [false, 0]
    const find = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(true))
    const projects = createCertifiedProjects({ ...store, find }, () => now, 1_000)
    await projects.read(mine)
    ;[isAway, now] = [true, 5_000]
    expect(await projects.read(mine)).toBe(true)
    await expect(projects.read('other' as ProjectId)).rejects.toThrow('away')
    isAway = false
    expect(await projects.read('other' as ProjectId)).toBe(true)
  })

  test('of a project that is gone is not set', async () => {
    const projects = createCertifiedProjects({ ...store, set: () => Promise.resolve(false) }, () => 0)
    await expect(projects.set(mine, true)).rejects.toThrow('gone')
  })
})
