import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import { createKeeper } from '../../src/features/receipts/keep-receipt.js'
import type { NewReceipt } from '../../src/features/receipts/receipt.js'
import { createReceiptStore, type ReceiptStore } from '../../src/features/receipts/store.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { keyOfByte, newProject, type ReceiptsInstance, START, startReceipts } from '../support/feature-app.js'
import { startTcpProxy, throughProxy } from '../support/tcp-proxy.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

let database: TestDatabase
let observer: Database
let store: ReceiptStore
let transact: Transact

beforeEach(async () => {
  database = await cloneDatabase()
  observer = await openDatabase({
    ...{ url: database.url, schema: 'llmring', connectionsMax: 10, prepare: true, pooled: false },
  })
  store = createReceiptStore(observer)
  transact = createTransact(observer.sql)
})
afterEach(async () => {
  await observer.close()
  await database.drop()
})

const receipt = (projectId: ProjectId, id: string, content = id): NewReceipt => ({
  ...{ projectId, id, kind: 'stored', keyId: 'k', requestSha256: null, legacyRule: null, storedAt: START },
  canonical: Buffer.from(`{"id":"${content}"}`),
})
const outcomes = async (kept: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(kept)).map((result) =>
    result.status === 'fulfilled' ? result.value : (result.reason as { code?: string; message: string }).code,
  )
const isThere = async (instance: ReceiptsInstance, project: ProjectId, id: string) =>
  (await instance.call(`/api/v1/receipts/${id}`, { project })).status === 200

describe('a group', () => {
  it('in which one receipt cannot be kept loses that one, and keeps the others', async () => {
    const { keep } = createKeeper({ transact, store })
    const project = newProject()
    // Beyond what an index entry holds; the door never lets such an id in.
    const poison = receipt(project, randomBytes(8_000).toString('hex'), 'poison')
    const kept = ['a', 'b', 'c', 'd', 'e'].map((id) => keep(receipt(project, id)))
    expect(await outcomes([...kept, keep(poison)])).toEqual([null, null, null, null, null, 'validation-failed'])
    expect((await store.listPage(project, { rowsMax: 10, from: { offset: 0 } })).total).toBe(5)
  })

  it('that holds an id twice keeps the first, and shows it to the second', async () => {
    const { keep } = createKeeper({ transact, store })
    const project = newProject()
    const [first, second, third] = await outcomes([
      keep(receipt(project, 'a', 'first')),
      keep(receipt(project, 'a', 'second')),
      keep(receipt(newProject(), 'a', 'third')),
    ])
    expect([first, second, third]).toMatchObject([null, { canonical: Buffer.from('{"id":"first"}') }, null])
  })

  it('whose look at what was taken fails answers those who were inserted', async () => {
    const project = newProject()
    await createKeeper({ transact, store }).keep(receipt(project, 'taken'))
    const away = Object.assign(new Error('away'), { code: 'ECONNRESET' })
    const { keep } = createKeeper({ transact, store: { ...store, findMany: () => Promise.reject(away) } })
    expect(await outcomes([keep(receipt(project, 'taken')), keep(receipt(project, 'new'))])).toEqual([
      'ECONNRESET',
      null,
    ])
    expect((await store.listPage(project, { rowsMax: 10, from: { offset: 0 } })).total).toBe(2)
  })

  it('that meets an id of a project that is being erased says so', async () => {
    const project = newProject()
    await createKeeper({ transact, store }).keep(receipt(project, 'taken'))
    const { keep } = createKeeper({
      transact,
      store: {
        ...store,
        findMany: async (places) => {
          await store.eraseChunk(project, 10)
          return store.findMany(places)
        },
      },
    })
    expect(await outcomes([keep(receipt(project, 'taken'))])).toEqual(['conflict'])
  })
})

describe('a lost connection', () => {
  it('while the group is being committed: 503, nothing half done, and the same request again is right', async () => {
    const one = await startReceipts(database.url, keyOfByte(1))
    const project = newProject()
    const answers = await whileTaken(project, 'b', async () => {
      const asked = ['a', 'b', 'c'].map((id) => one.issue({ ...CLAIMS, id }, project))
      await eventually(() => terminateWaiting(observer))
      return Promise.all(asked)
    })
    for (const answer of answers) {
      expect([answer.status, answer.json]).toMatchObject([
        503,
        { code: 'database-unavailable', detail: expect.stringContaining('may or may not') },
      ])
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect(await isThere(one, project, 'a')).toBe(false)
    for (const id of ['a', 'b', 'c']) expect((await one.issue({ ...CLAIMS, id }, project)).status).toBe(200)
    expect((await one.call('/api/v1/receipts/', { project })).json).toMatchObject({ total: 3 })
    await one.close()
  })

  it('after the commit and before its answer: the same request again gets the receipt that was kept', async () => {
    const target = new URL(database.url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const one = await startReceipts(throughProxy(database.url, proxy), keyOfByte(1))
    const project = newProject()
    const pending = await whileCommitsWait(observer, async () => {
      const asked = one.issue({ ...CLAIMS, id: 'a' }, project)
      await eventually(() => waitingPid(observer, 1, 'commit'))
      // From here on the commit runs, and its answer reaches no client.
      proxy.freeze()
      return { asked }
    })
    await eventually(async () =>
      expect((await store.listPage(project, { rowsMax: 10, from: { offset: 0 } })).total).toBe(1),
    )
    proxy.cut()
    expect((await pending.asked).status).toBe(503)
    proxy.thaw()
    proxy.restore()
    const [kept] = (await store.listPage(project, { rowsMax: 10, from: { offset: 0 } })).receipts
    const again = await eventually(async () => {
      const answer = await one.issue({ ...CLAIMS, id: 'a' }, project)
      expect(answer.status).toBe(200)
      return answer
    })
    expect(again.text).toBe(Buffer.from(kept?.canonical ?? []).toString())
    await one.close()
    await proxy.close()
  })

  it('that nobody notices gives its lanes back in time: 503, and the next groups are kept', async () => {
    const target = new URL(database.url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const patience = { commitMsMax: 300, lookMsMax: 300 }
    const one = await startReceipts(throughProxy(database.url, proxy), keyOfByte(1), undefined, patience)
    const project = newProject()
    proxy.freeze()
    // One after the other, so that each is a group of its own: more of them than there are lanes.
    for (const id of ['a', 'b', 'c']) {
      const answer = await one.issue({ ...CLAIMS, id }, project)
      expect([answer.status, answer.json]).toMatchObject([503, { code: 'database-unavailable' }])
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    proxy.cut()
    proxy.thaw()
    proxy.restore()
    await eventually(async () => expect((await one.issue({ ...CLAIMS, id: 'd' }, project)).status).toBe(200))
    await one.close()
    await proxy.close()
  })

  it('does not keep anybody from verifying under a key that is known, and says so for one that is not', async () => {
    const target = new URL(database.url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) })
    const one = await startReceipts(throughProxy(database.url, proxy), keyOfByte(1))
    const { json } = await one.issue(CLAIMS, newProject())
    one.advance(1_000)
    proxy.cut()
    expect((await one.verify(json)).json).toMatchObject({ valid: true })
    // No new key could make this one valid: nobody is asked.
    expect((await one.verify({ ...(json as object), alias: 'tampered' })).json).toMatchObject({ valid: false })
    const unknown = await one.verify({ ...(json as object), key_id: 'unheard-of' })
    expect([unknown.status, unknown.json]).toMatchObject([503, { code: 'database-unavailable' }])
    expect((await one.call('/receipts/public-keys.json')).status).toBe(200)
    proxy.restore()
    await one.close()
    await proxy.close()
  })
})

it('closing waits for what was accepted', async () => {
  const one = await startReceipts(database.url, keyOfByte(1))
  const project = newProject()
  let closed = false
  const { answers, closing } = await whileTaken(project, 'b', async () => {
    const asked = ['a', 'b', 'c'].map((id) => one.issue({ ...CLAIMS, id }, project))
    await eventually(() => waitingPid(observer))
    const later = one.receipts.close().then(() => {
      closed = true
    })
    await observer.sql`select 1`
    expect(closed).toBe(false)
    return { answers: asked, closing: later }
  })
  await closing
  expect((await store.listPage(project, { rowsMax: 1, from: { offset: 0 } })).total).toBe(3)
  expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([200, 200, 200])
  await one.close()
})

it('two instances that bring the same receipts in opposite orders wait for each other, and never deadlock', async () => {
  const project = newProject()
  const ids = ['a', 'm', 'z']
  const statements = await whileTaken(project, 'm', async () => {
    const begun = [ids, ids.toReversed()].map((order) =>
      transact((tx) =>
        store.insertNew(
          tx,
          order.map((id) => receipt(project, id)),
        ),
      ),
    )
    await eventually(() => waitingPid(observer, 2))
    return { begun }
  })
  const inserted = await Promise.all(statements.begun)
  expect(inserted.map((rows) => rows.length).sort()).toEqual([0, 3])
})

/** Does `work` while a transaction that will be rolled back holds this place: whoever inserts there has to wait. */
async function whileTaken<T>(projectId: ProjectId, id: string, work: () => Promise<T>): Promise<T> {
  const rollback = new Error('rolled back on purpose')
  let result: { value: T } | undefined
  const holding = transact(async (tx) => {
    await store.insertNew(tx, [receipt(projectId, id)])
    result = { value: await work() }
    throw rollback
  })
  await holding.catch((error: unknown) => {
    if (error !== rollback) throw error
  })
  if (result === undefined) throw rollback
  return result.value
}

/** Does `work` while every commit of a receipt waits: each is let go when `work` is done. */
async function whileCommitsWait<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.sql`create function wait_for_the_test() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(4711); return null; end $$`
  await database.sql`create constraint trigger waits after insert on receipts deferrable initially deferred
    for each row execute function wait_for_the_test()`
  return (await database.sql.begin(async (holder) => {
    await holder`select pg_advisory_xact_lock(4711)`
    return work()
  })) as T
}

/** A backend that waits for somebody's lock. Throws while there are fewer than `count`. */
async function waitingPid(database: Database, count = 1, statement = '%insert into receipts%'): Promise<number> {
  const rows = await database.sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like ${statement}`
  const [row] = rows
  if (row === undefined || rows.length < count) throw new Error('nobody waits yet')
  return row.pid
}

async function terminateWaiting(database: Database): Promise<void> {
  const pid = await waitingPid(database)
  await database.sql`select pg_terminate_backend(${pid})`
}
