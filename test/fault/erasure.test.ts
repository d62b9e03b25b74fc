import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { call, OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const ADMIN = '/api/v1/admin/projects'
const EVENT = { provider: 'openai', model: 'm', input_tokens: 1, output_tokens: 1, cost: 0.1 }

describe('erasing a project while it is written to', () => {
  it('is no deadlock, gives nobody a 500, and the keys stay refused', async () => {
    for (let round = 0; round < 3; round++) {
      const { id } = (await service.call(ADMIN, { key: OPERATOR_KEY, json: { name: `round ${round}` } })).json as {
        id: string
      }
      const { key } = (await service.call(`${ADMIN}/${id}/keys`, { key: OPERATOR_KEY, json: {} })).json as {
        key: string
      }
      let stopped = false
      const statuses = new Set<number>()
      const writer = async (lane: number) => {
        for (let turn = 0; !stopped; turn++) {
          const alias = `a${(lane + turn) % 7}`
          const request =
            turn % 3 === 0
              ? call(service.url, '/api/v1/log', { key, json: EVENT })
              : turn % 3 === 1
                ? call(service.url, '/api/v1/aliases/bind', { key, json: { alias, model: 'x:y' } })
                : call(service.url, `/api/v1/aliases/${alias}`, { key, method: 'DELETE' })
          statuses.add((await request).status)
        }
      }
      const writers = Array.from({ length: 12 }, (_, lane) => writer(lane))
      await eventually(() => expect(statuses).toContain(200))
      const erased = await service.call(`${ADMIN}/${id}`, { key: OPERATOR_KEY, method: 'DELETE' })
      expect(erased.status).toBe(200)
      await eventually(() => expect(statuses).toContain(401))
      stopped = true
      await Promise.all(writers)
      expect([...statuses].filter((status) => status !== 200 && status !== 401)).toEqual([])
      // What was under way when the keys were revoked goes with a later sweep; nothing new comes.
      expect((await service.call('/api/v1/aliases/', { key })).status).toBe(401)
      expect((await service.call(`${ADMIN}/${id}/export`, { key: OPERATOR_KEY })).status).toBe(404)
    }
  })
})
