import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import type { Claim } from '../../src/features/repricing/job.js'
import { createJobStore, type JobStore } from '../../src/features/repricing/job-store.js'
import { REPRICE_LIMITS } from '../../src/features/repricing/limits.js'
import { NOTHING_FOUND } from '../../src/features/repricing/tally.js'
import { createIds } from '../../src/platform/ids.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'

let clone: TestDatabase
let database: Database
let transact: Transact
let store: JobStore
beforeAll(async () => {
  clone = await cloneDatabase()
  database = await openDatabase({ url: clone.url, schema: 'llmring', connectionsMax: 6, prepare: true, pooled: false })
  transact = createTransact(database.sql)
  store = createJobStore(database)
})
afterAll(async () => {
  await database.close()
  await clone.drop()
})

const newId = createIds()
async function newJob(projectId = randomUUID() as ProjectId) {
  const id = newId(Date.now())
  const period = { fromAt: new Date(0), untilAt: new Date(1_000) }
  const added = await transact((tx) =>
    store.add(tx, { projectId, id, keyId: null, registryVersion: null, dryRun: false, ...period }),
  )
  return { projectId, id, added }
}
/** The claim on this job; others that wait are taken, too, and left to their leases. */
async function claim(id: string): Promise<Claim | undefined> {
  for (;;) {
    const taken = await store.claimDue(randomUUID())
    if (taken === undefined || taken.job.id === id) return taken
  }
}
const makeDue = (id: string) =>
  database.sql`update reprice_jobs set due_at = now() - interval '1 second' where id = ${id}`
const REACHED = { loggedAt: '1970-01-01T00:00:00.500Z', id: randomUUID() }
const FOUND = { ...NOTHING_FOUND, events: 7 }
const advance = (held: Claim, isOver = false) =>
  transact((tx) => store.advance(tx, held, { reached: REACHED, found: FOUND, isOver }))
const lockWaits = () => database.sql`
  select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

async function claimed() {
  const job = await newJob()
  const held = await claim(job.id)
  if (held === undefined) throw new Error('nobody else takes jobs here')
  return { ...job, held }
}

describe('a job', () => {
  it('is added if none of its project is open, even if two are added at once', async () => {
    const project = randomUUID() as ProjectId
    const both = await Promise.all([newJob(project), newJob(project)])
    expect(both.map(({ added }) => added).sort()).toEqual([false, true])
    expect((await newJob()).added).toBe(true)
    await store.cancel(project, both.find(({ added }) => added)?.id ?? '')
    expect((await newJob(project)).added).toBe(true)
  })

  it('is taken by one instance, and by another one only after the lease', async () => {
    const { id, held } = await claimed()
    expect(held.job).toMatchObject({ status: 'running', reachedAt: null, found: NOTHING_FOUND })
    expect(await claim(id)).toBeUndefined()
    await makeDue(id)
    const other = await claim(id)
    expect(other?.lease).not.toBe(held.lease)
    expect([await advance(held), await advance(other as Claim)]).toEqual([false, true])
  })

  it('of which two instances try to take a turn at once goes to one of them', async () => {
    const { id } = await newJob()
    const taken = await Promise.all(Array.from({ length: 6 }, () => store.claimDue(randomUUID())))
    expect(taken.filter((one) => one?.job.id === id).length).toBeLessThanOrEqual(1)
  })

  it('goes on where it was, and is over when it is done', async () => {
    const { id, projectId, held } = await claimed()
    await advance(held)
    await makeDue(id)
    const next = (await claim(id)) as Claim
    expect(next.job).toMatchObject({ reachedAt: new Date(500), reachedId: REACHED.id, found: { events: 7 } })
    expect(await advance(next, true)).toBe(true)
    expect(await store.find(projectId, id)).toMatchObject({ status: 'done', finishedAt: expect.any(Date) })
    expect(await advance(next)).toBe(false)
    expect(await store.cancel(projectId, id)).toBe(false)
  })

  it('that is cancelled waits for the chunk that is being written, and no other follows', async () => {
    const { id, projectId, held } = await claimed()
    let cancelled: Promise<boolean> = Promise.resolve(false)
    const moved = await transact(async (tx) => {
      const isMoved = await store.advance(tx, held, { reached: REACHED, found: FOUND, isOver: false })
      cancelled = store.cancel(projectId, id)
      await eventually(async () => expect(await lockWaits()).toHaveLength(1))
      return isMoved
    })
    expect([moved, await cancelled, await advance(held)]).toEqual([true, true, false])
    expect(await store.find(projectId, id)).toMatchObject({ status: 'cancelled', found: { events: 7 } })
    await makeDue(id)
    expect(await claim(id)).toBeUndefined()
  })

  it('whose turn failed is tried again after a pause, and not for ever', async () => {
    const { id, projectId, held } = await claimed()
    await store.giveBack(held, 'The registry has no google@9 any more.')
    expect(await store.find(projectId, id)).toMatchObject({
      status: 'running',
      lastFailure: 'The registry has no google@9 any more.',
    })
    expect(await claim(id)).toBeUndefined()
    await makeDue(id)
    const again = (await claim(id)) as Claim
    await advance(again)
    expect(await store.find(projectId, id)).toMatchObject({ lastFailure: null })
    await database.sql`update reprice_jobs set failures = ${REPRICE_LIMITS.failuresMax - 1} where id = ${id}`
    await store.giveBack(again, 'x'.repeat(10_000))
    const over = await store.find(projectId, id)
    expect(over).toMatchObject({ status: 'failed', finishedAt: expect.any(Date) })
    expect(over?.lastFailure).toHaveLength(REPRICE_LIMITS.failureCharactersMax)
    expect((await newJob(projectId)).added).toBe(true)
  })

  it('that is given back is due at once, and only by whoever has it', async () => {
    const { id, held } = await claimed()
    await store.giveBack({ ...held, lease: randomUUID() }, null)
    expect(await claim(id)).toBeUndefined()
    await store.giveBack(held, null)
    expect((await claim(id))?.job.id).toBe(id)
  })
})

describe('the jobs of a project', () => {
  it('are its own, the newest first, and no more than are kept', async () => {
    const project = randomUUID() as ProjectId
    const over = REPRICE_LIMITS.jobsKeptMax + 5
    await database.sql`
      insert into reprice_jobs (project_id, id, created_at, from_at, until_at, dry_run, status, found, failures, finished_at)
      select ${project}, gen_random_uuid(), now(), now(), now(), true, 'done', '{}', 0, now() from generate_series(1, ${over})`
    const { id } = await newJob(project)
    const [kept] = await database.sql`select count(*)::int as n from reprice_jobs where project_id = ${project}`
    expect(kept?.['n']).toBeLessThanOrEqual(REPRICE_LIMITS.jobsKeptMax + 1)
    expect(await store.findOpen(project)).toMatchObject({ id })
    const ids = (await store.list(project)).map((job) => job.id)
    expect(ids).toEqual(ids.toSorted().reverse())
    expect(await store.find(randomUUID() as ProjectId, id)).toBeUndefined()
    expect(await store.cancel(randomUUID() as ProjectId, id)).toBe(false)
  })

  it('are exported page by page, without the names of turns, and erased', async () => {
    const { projectId, id } = await claimed()
    await store.cancel(projectId, id)
    await newJob(projectId)
    const first = await store.exportPage(projectId, null, 1)
    const second = await store.exportPage(projectId, first.next, 1)
    const rows = [...first.rows, ...second.rows].map((text) => JSON.parse(text))
    expect(rows.map((row) => row.id)).toContain(id)
    expect(rows).toHaveLength(2)
    expect(rows.some((row) => 'lease' in row)).toBe(false)
    expect((await store.exportPage(projectId, second.next, 1)).rows).toEqual([])
    expect([await store.eraseChunk(projectId, 10), await store.eraseChunk(projectId, 10)]).toEqual([2, 0])
  })
})
