import { afterAll, beforeAll, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

let database: TestDatabase
let proxy: TcpProxy
let one: RunningService
/** Hears of others through the proxy, and asks the database past it. */
let other: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  one = await startService({ LLMRING_DATABASE_URL: database.url })
  other = await startService({
    ...{ LLMRING_DATABASE_URL: database.url, LLMRING_DATABASE_DIRECT_URL: throughProxy(database.url, proxy) },
  })
})
afterAll(async () => {
  proxy.thaw()
  proxy.cut()
  await other.close()
  await one.close()
  await proxy.close()
  await database.drop()
})

const CLAIMS = {
  ...{ registry_version: 'openai@2', model: 'openai:gpt-4o-mini', alias: 'summarizer', profile: 'default' },
  ...{ lock_digest: 'none', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036', calculation: 'as agreed' },
}

async function sizeOn({ call }: RunningService): Promise<number> {
  const { status, text } = await call('/log/checkpoint', { key: null })
  expect(status).toBe(200)
  return Number(text.split('\n')[1])
}

/** Issues a receipt on one instance, when it is ready to; what a machine without time refuses is asked for again. */
const issue = () =>
  eventually(async () => {
    const issued = await one.call('/api/v1/receipts/issue?wait=logged', { json: CLAIMS })
    expect(issued.status, issued.text).toBe(200)
    // The checkpoint there covers it.
    return { id: issued.json.id as string, size: await sizeOn(one) }
  }, 60_000)

it('a checkpoint is shown by an instance that hears of none, and a receipt is proved there', async () => {
  const { size: heard } = await issue()
  await eventually(async () => expect(await sizeOn(other)).toBeGreaterThanOrEqual(heard), 60_000)
  const before = proxy.bytesDown()
  proxy.freeze()
  for (let round = 0; round < 3; round += 1) {
    const { size } = await issue()
    expect(size).toBeGreaterThan(heard)
    await eventually(async () => expect(await sizeOn(other)).toBeGreaterThanOrEqual(size), 60_000)
  }
  const { id } = await issue()
  const proof = () => other.call(`/api/v1/receipts/${id}/proof`)
  await eventually(async () => expect((await proof()).status).toBe(200), 60_000)
  expect(before).toBeGreaterThan(0)
}, 300_000)
