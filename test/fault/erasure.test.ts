import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

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

describe('the sweep', () => {
  const sql = () => service.sql
  const newProject = async () => {
    const { id } = (await service.call(ADMIN, { key: OPERATOR_KEY, json: { name: 'swept' } })).json as { id: string }
    const made = await service.call(`${ADMIN}/${id}/keys`, { key: OPERATOR_KEY, json: {} })
    return { id, keyId: made.json.id as string }
  }
  const erase = (id: string) => service.call(`${ADMIN}/${id}`, { key: OPERATOR_KEY, method: 'DELETE' })
  /** As a write that was under way when the keys were revoked leaves it. */
  const leave = (id: string) => sql()`
    insert into aliases (project_id, profile, alias, id, models, revision, created_at, updated_at, place)
    values (${id}, 'default', 'late', 1, '{x:y}', 1, now(), now(), 1)`
  const left = async (id: string) => (await sql()`select 1 from aliases where project_id = ${id}`).length
  const sweptAt = async (id: string) => (await sql()`select swept_at from projects where id = ${id}`)[0]?.['swept_at']
  /** A service sweeps when it starts. */
  const startAnother = () => startService({ LLMRING_DATABASE_URL: database.url })

  it('takes what was written during an erasure, and is final only once no write can come any more', async () => {
    const [young, old] = [await newProject(), await newProject()]
    for (const { id } of [young, old]) {
      await erase(id)
      await leave(id)
    }
    const age = (id: string, seconds: number) =>
      sql()`update projects set erased_at = now() - make_interval(secs => ${seconds}) where id = ${id}`
    await age(young.id, 240)
    await age(old.id, 301)
    const first = await startAnother()
    await eventually(async () => expect(await sweptAt(old.id)).toBeInstanceOf(Date))
    await eventually(async () => expect([await left(old.id), await left(young.id)]).toEqual([0, 0]))
    await first.close()
    expect(await sweptAt(young.id)).toBe(null)

    await leave(young.id)
    await age(young.id, 301)
    const second = await startAnother()
    await eventually(async () => expect(await sweptAt(young.id)).toBeInstanceOf(Date))
    expect(await left(young.id)).toBe(0)
    await second.close()
  })

  it('goes on behind a project that it cannot sweep', async () => {
    const [first, stuck, last] = [await newProject(), await newProject(), await newProject()]
    for (const { id } of [first, stuck, last]) {
      await erase(id)
      await leave(id)
      await sql()`update projects set erased_at = now() - make_interval(secs => 301) where id = ${id}`
    }
    await sql().unsafe(`
      create function refuse_deletion() returns trigger language plpgsql as $$ begin
        if old.project_id = '${stuck.id}' then raise exception 'not to be deleted'; end if;
        return old;
      end $$;
      create trigger refuse_deletion before delete on aliases for each row execute function refuse_deletion()`)
    const another = await startAnother()
    await eventually(async () => {
      expect(await sweptAt(first.id)).toBeInstanceOf(Date)
      expect(await sweptAt(last.id)).toBeInstanceOf(Date)
    }, 30_000)
    expect([await left(first.id), await left(stuck.id), await left(last.id)]).toEqual([0, 1, 0])
    expect(await sweptAt(stuck.id)).toBe(null)
    await sql()`drop function refuse_deletion cascade`
    await another.close()
  })

  it('and the erasure leave the moment alone at which a key was revoked', async () => {
    const { id, keyId } = await newProject()
    await service.call(`${ADMIN}/${id}/keys/${keyId}`, { key: OPERATOR_KEY, method: 'DELETE' })
    const revokedAt = async () =>
      (await sql()`select revoked_at from project_keys where id = ${keyId}`)[0]?.['revoked_at'] as Date
    await sql()`update project_keys set revoked_at = '2026-01-01T00:00:00Z' where id = ${keyId}`
    expect((await erase(id)).status).toBe(200)
    expect((await erase(id)).status).toBe(404)
    expect((await revokedAt()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
  })

  it('is kept away from a project that is erased a second time', async () => {
    const { id, keyId } = await newProject()
    await erase(id)
    await sql()`update project_keys set revoked_at = '2026-01-01T00:00:00Z' where id = ${keyId}`
    await sql()`update projects set erased_at = '2026-01-01T00:00:00Z' where id = ${id}`
    expect((await erase(id)).status).toBe(404)
    const [row] = await sql()`
      select erased_at, revoked_at from projects join project_keys on project_id = projects.id where projects.id = ${id}`
    expect(row).toEqual({ erased_at: new Date('2026-01-01'), revoked_at: new Date('2026-01-01') })
  })
})

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
