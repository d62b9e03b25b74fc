import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import { createChainStore } from '../../src/features/receipts/issue/chain-store.js'
import { createKeeper } from '../../src/features/receipts/issue/keep-receipt.js'
import type { Candidate } from '../../src/features/receipts/receipt.js'
import { createReceiptStore, type ReceiptStore } from '../../src/features/receipts/store.js'
import { insertPending } from '../../src/features/transparency/sequence/pending-store.js'
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

const receipt = (projectId: ProjectId, id: string, content = id): Candidate => ({
  ...{ projectId, id, kind: 'stored', keyId: 'k', requestSha256: null, legacyRule: null, bytes: 100 },
  canonical: Buffer.from(`{"id":"${content}"}`),
})
/** One that says its place instead of being signed. */
const issued = (projectId: ProjectId, id: string): Candidate => ({
  ...{ projectId, id, kind: 'issued', keyId: 'k', requestSha256: null, legacyRule: null, bytes: 100, isIdChosen: true },
  seal: ({ seq, prev }) => Buffer.from(JSON.stringify({ id, seq, prev })),
})
const keeperOf = (changes: { store?: Partial<ReceiptStore> } = {}) =>
  createKeeper({
    ...{ transact, chains: createChainStore(observer.sql), clock: () => START },
    store: { ...store, ...changes.store },
    log: { append: insertPending, refuseWhileSuspended: () => undefined },
  })
const kept = (content: string) => ({ status: 'kept', canonical: Buffer.from(`{"id":"${content}"}`) })
const outcomes = async (kept: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(kept)).map((result) =>
    result.status === 'fulfilled' ? result.value : (result.reason as { code?: string; message: string }).code,
  )
const isThere = async (instance: ReceiptsInstance, project: ProjectId, id: string) =>
  (await instance.call(`/api/v1/receipts/${id}`, { project })).status === 200

describe('a group', () => {
  it('in which one receipt cannot be kept loses that one, keeps the others, and leaves no gap between them', async () => {
    const { keep } = keeperOf()
    const project = newProject()
    // Beyond what an index entry holds; the door never lets such an id in.
    const poison = issued(project, randomBytes(8_000).toString('hex'))
    const others = ['a', 'b', 'c', 'd', 'e'].map((id) => issued(project, id))
    const said = await outcomes([...others.slice(0, 2), poison, ...others.slice(2)].map(keep))
    expect(said.map((outcome) => (outcome as { status?: string }).status ?? outcome)).toEqual([
      ...['kept', 'kept', 'validation-failed', 'kept', 'kept', 'kept'],
    ])
    const rows = await observer.sql<{ id: string; seq: number; text: string; entry: string }[]>`
      select id, seq::int, convert_from(canonical, 'UTF8') as text, 'sha256:' || encode(entry, 'hex') as entry
      from receipts where project_id = ${project} order by seq`
    expect(rows.map(({ id, seq }) => [id, seq])).toEqual([
      ...[
        ['a', 1],
        ['b', 2],
        ['c', 3],
        ['d', 4],
        ['e', 5],
      ],
    ])
    const links = rows.map(({ text }) => (JSON.parse(text) as { prev: string | null }).prev)
    expect(links).toEqual([null, ...rows.slice(0, -1).map(({ entry }) => entry.slice('sha256:'.length))])
    const logged = await observer.sql<{ entry: string }[]>`
      select 'sha256:' || encode(entry, 'hex') as entry from log_pending order by id`
    expect(logged).toEqual(rows.map(({ entry }) => ({ entry })))
  })

  it('that holds an id twice keeps the first, and shows it to the second', async () => {
    const { keep } = keeperOf()
    const project = newProject()
    const said = await outcomes([
      keep(receipt(project, 'a', 'first')),
      keep(receipt(project, 'a', 'second')),
      keep(receipt(newProject(), 'a', 'third')),
    ])
    expect(said).toMatchObject([
      kept('first'),
      { status: 'taken', by: { canonical: Buffer.from('{"id":"first"}') } },
      kept('third'),
    ])
  })

  it('whose look at what was taken fails keeps nothing', async () => {
    const project = newProject()
    const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
    const { keep } = keeperOf({ store: { findMany: () => Promise.reject(away) } })
    expect(await outcomes([keep(receipt(project, 'a')), keep(issued(project, 'b'))])).toEqual([
      'ECONNREFUSED',
      'ECONNREFUSED',
    ])
    expect((await store.listPage(project, { rowsMax: 10, from: { offset: 0 } })).total).toBe(0)
  })

  it('of a project whose chain went with its erasure begins a new one', async () => {
    const { keep } = keeperOf()
    const project = newProject()
    await keep(issued(project, 'a'))
    while ((await store.eraseChunk(project, 10)) > 0);
    expect(await keep(issued(project, 'b'))).toMatchObject({
      canonical: Buffer.from(JSON.stringify({ id: 'b', seq: 1, prev: null })),
    })
  })

  it('is not kept waiting by another project, whose chain is locked elsewhere', async () => {
    const { keep } = keeperOf()
    const [held, free] = [newProject(), newProject()]
    const waiting = await whileLocked(held, async () => {
      const behind = keep(issued(held, 'a'))
      await Promise.all(['a', 'b', 'c'].map((id) => keep(issued(free, id))))
      return { behind }
    })
    expect(await waiting.behind).toMatchObject({ status: 'kept' })
  })
})

describe('a lost connection', () => {
  it('while the group is being committed: 503, nothing half done, and the same request again is right', async () => {
    const one = await startReceipts(database.url, keyOfByte(1))
    const project = newProject()
    const answers = await whileLocked(project, async () => {
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
    const patience = { commitMsMax: 300 }
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
  const { answers, closing } = await whileLocked(project, async () => {
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

it('two instances that lock the same chains in opposite orders wait for each other, and never deadlock', async () => {
  const projects = [newProject(), newProject(), newProject()]
  const chains = createChainStore(observer.sql)
  await chains.open(projects, 5_000)
  const [, middle] = projects.toSorted() as [ProjectId, ProjectId]
  const statements = await whileLocked(middle, async () => {
    const begun = [projects, projects.toReversed()].map((order) => transact((tx) => chains.lock(tx, order)))
    await eventually(() => waitingPid(observer, 2))
    return { begun }
  })
  const locked = await Promise.all(statements.begun)
  expect(locked.map((heads) => heads.length)).toEqual([3, 3])
})

/** Does `work` while another transaction holds the chain of this project: whoever writes there has to wait. */
function whileLocked<T>(projectId: ProjectId, work: () => Promise<T>): Promise<T> {
  const chains = createChainStore(observer.sql)
  return chains.open([projectId], 5_000).then(() =>
    transact(async (tx) => {
      await chains.lock(tx, [projectId])
      return work()
    }),
  )
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
async function waitingPid(
  database: Database,
  count = 1,
  statement = '%from receipt_chains%for update%',
): Promise<number> {
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
