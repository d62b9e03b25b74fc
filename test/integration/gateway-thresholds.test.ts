import { afterAll, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createThresholds } from '../../src/features/gateway/judge/thresholds.js'
import { createThresholdStore, type ThresholdStore } from '../../src/features/gateway/store.js'
import { cloneDatabase } from '../support/database.js'
import { type GatewayProject, startGateway } from '../support/gateway-world.js'
import { OPERATOR_KEY, startService } from '../support/service.js'

const database = await cloneDatabase()
const service = await startService({ LLMRING_DATABASE_URL: database.url })
const { sql } = service
afterAll(async () => {
  await service.close()
  await database.drop()
})

/** A project that is there. */
async function project(): Promise<ProjectId> {
  const [row] = await sql<{ id: string }[]>`
    insert into projects (id, origin) values (gen_random_uuid(), 'made') returning id`
  return row?.id as ProjectId
}
/** One instance of the service, which reads again at once. */
const instance = (freshMs = 0, store: ThresholdStore = createThresholdStore(sql)) =>
  createThresholds(store, 0.5, () => 0, freshMs)

describe('a threshold', () => {
  const [one, two] = [instance(), instance()]

  test('is the configured one at first, moves, and stays in its bounds', async () => {
    const [mine, other] = [await project(), await project()]
    expect(await one.read(mine)).toBe(0.5)
    expect(await one.move(mine, 0.02)).toBeCloseTo(0.52)
    expect(await one.read(mine)).toBeCloseTo(0.52)
    expect(await one.move(mine, 5)).toBe(0.8)
    expect(await one.move(mine, -5)).toBe(0.2)
    expect(await one.read(other)).toBe(0.5)
  })

  test('is one for all instances, also those that start later, and no step between them is lost', async () => {
    const shared = await project()
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).move(shared, 0.01)))
    for (const each of [one, two, instance()]) expect(await each.read(shared)).toBeCloseTo(0.7)
  })

  test('is read from memory while that is fresh, until the project is forgotten', async () => {
    const [slow, held] = [instance(1_000), await project()]
    expect(await slow.read(held)).toBe(0.5)
    await one.move(held, 0.02)
    expect(slow.read(held)).toBe(0.5)
    expect([slow.forget(held), slow.forget(held)]).toEqual([1, 0])
    expect(await slow.read(held)).toBeCloseTo(0.52)
  })

  test('goes on as it was known while the database is away', async () => {
    const mine = await project()
    const store = createThresholdStore(sql)
    let isAway = false
    const find = (id: ProjectId) => (isAway ? Promise.reject(new Error('away')) : store.find(id))
    const third = instance(0, { ...store, find })
    await third.move(mine, 0.02)
    isAway = true
    expect(await third.read(mine)).toBeCloseTo(0.52)
    expect(await third.read(await project())).toBe(0.5)
  })

  test('of a project that is gone is not moved', async () => {
    const gone = crypto.randomUUID() as ProjectId
    expect(await one.move(gone, 0.02)).toBe(0.5)
  })
})

describe('what feedback taught', () => {
  const config = {
    providers: [
      {
        name: 'echo',
        type: 'echo',
        models: [
          { model: 'easy', tier: 1 },
          { model: 'hard', tier: 2 },
        ],
      },
    ],
  }
  const judge = async (one: GatewayProject) => {
    const response = await one.post('/v1/feedback', { score: 0, tier: 1, quality: 0 })
    return ((await response.json()) as { threshold: number }).threshold
  }

  test('outlives the service, and goes with its project', async () => {
    const kept = await cloneDatabase()
    const environment = { LLMRING_DATABASE_URL: kept.url }
    const first = await startGateway(config, environment)
    const mine = first.project()
    expect(await judge(mine)).toBe(0.48)
    await first.close()
    const second = await startGateway(config, environment)
    try {
      const same = { ...second.project(), key: mine.key }
      const again = await same.post('/v1/feedback', { score: 0, tier: 1, quality: 0 }, authorized(mine.key))
      expect(await again.json()).toMatchObject({ threshold: 0.46 })
      const rows = await second.service.sql`select id from projects where learned_threshold is not null`
      const path = `/api/v1/admin/projects/${rows[0]?.['id']}`
      const erased = await second.service.call(path, { method: 'DELETE', key: OPERATOR_KEY })
      expect(erased.status).toBe(200)
      expect(await second.service.sql`select id from projects where learned_threshold is not null`).toHaveLength(0)
    } finally {
      await second.close()
      await kept.drop()
    }
  })
})

const authorized = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } })
