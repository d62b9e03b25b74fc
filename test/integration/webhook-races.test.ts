import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import { createSendingStore } from '../../src/features/webhooks/sending-store.js'
import { createWebhookStore } from '../../src/features/webhooks/store.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'

let clone: TestDatabase
let database: Database
let transact: Transact
beforeAll(async () => {
  clone = await cloneDatabase()
  database = await openDatabase({ url: clone.url, schema: 'llmring', connectionsMax: 6, prepare: true, pooled: false })
  transact = createTransact(database.sql)
})
afterAll(async () => {
  await database.close()
  await clone.drop()
})

/** A project with a webhook and one delivery that waits. */
async function prepare() {
  const store = createWebhookStore(database)
  const sending = createSendingStore(database.sql)
  const projectId = randomUUID() as ProjectId
  const secret = { bytes: Buffer.alloc(60), keyId: 'test' }
  await transact((tx) => store.set(tx, { projectId, url: 'https://hooks.llmring.invalid/', secret, keyId: null }))
  /** Resolves once it is written; it is committed when `commit` says so. */
  const enqueue = async (number: number, commit: Promise<void> = Promise.resolve()) => {
    let wrote: () => void = () => undefined
    const written = new Promise<void>((resolve) => {
      wrote = resolve
    })
    const committed = transact(async (tx) => {
      const at = await store.lockActive(tx, projectId)
      if (at === undefined) throw new Error('there is no webhook')
      await store.enqueue(tx, projectId, { id: `msg_${number}`, body: '{}' }, at)
      wrote()
      await commit
    })
    await written
    return { committed }
  }
  const claim = async () => {
    const due = (await sending.listDue(false, 10)).find((one) => one.projectId === projectId)
    return due === undefined ? undefined : sending.claim(due, randomUUID())
  }
  await (await enqueue(1)).committed
  return { store, sending, projectId, enqueue, claim }
}

const lockWaits = () => database.sql`
  select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`

describe('a delivery that is added while the one before it is written down as taken', () => {
  it('is due afterwards, although neither transaction sees the other’s row', async () => {
    const { sending, enqueue, claim } = await prepare()
    const first = await claim()
    if (first === undefined) throw new Error('nothing was due')
    let commit: () => void = () => undefined
    const { committed } = await enqueue(
      2,
      new Promise((resolve) => {
        commit = resolve
      }),
    )
    const settling = transact((tx) => sending.settle(tx, first, { status: 'delivered', slow: false }))
    await eventually(async () => expect((await lockWaits()).length).toBe(1))
    commit()
    await committed
    expect(await settling).toEqual({ dropped: 0, more: true })
    expect((await eventually(async () => (await claim()) ?? expect.fail('not due')))?.delivery?.place).toBe(2)
  })

  it('is due if it was begun in the middle of that', async () => {
    const { sending, enqueue, claim, projectId } = await prepare()
    const first = await claim()
    if (first === undefined) throw new Error('nothing was due')
    const adding = await transact(async (tx) => {
      await sending.settle(tx, first, { status: 'delivered', slow: false })
      const begun = enqueue(2)
      await eventually(async () => expect((await lockWaits()).length).toBe(1))
      return { begun }
    })
    await (await adding.begun).committed
    const [row] = await database.sql`select due_at is not null as due from webhooks where project_id = ${projectId}`
    expect(row).toEqual({ due: true })
  })
})

describe('a delivery that many try to take at once', () => {
  it('is taken by one', async () => {
    const { claim } = await prepare()
    const claims = await Promise.all(Array.from({ length: 6 }, claim))
    expect(claims.filter((one) => one !== undefined).length).toBe(1)
  })
})
