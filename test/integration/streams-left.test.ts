import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

const KEY = 'the-key-of-a-large-project'
const BULKS = 5
const ALIASES_PER_BULK = 1_000
const METADATA_BYTES = 3_500

let database: TestDatabase
let proxy: TcpProxy
let service: RunningService
let projectId: string
beforeAll(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  service = await startService({
    LLMRING_DATABASE_URL: throughProxy(database.url, proxy),
    LLMRING_BODY_BYTES_MAX: '8388608',
  })
  const metadata = { text: 'x'.repeat(METADATA_BYTES) }
  for (let bulk = 0; bulk < BULKS; bulk++) {
    const json = Array.from({ length: ALIASES_PER_BULK }, (_, index) => ({
      ...{ alias: `a${bulk}-${index}`, model: 'x:y', metadata },
    }))
    expect((await service.call('/api/v1/aliases/bulk_upsert', { key: KEY, json })).status).toBe(200)
  }
  const [first] = (await service.call('/api/v1/aliases/?limit=1', { key: KEY })).json
  projectId = first.project_id
})
afterAll(async () => {
  await service.close()
  await proxy.close()
  await database.drop()
})

const whole = BULKS * ALIASES_PER_BULK * METADATA_BYTES
const list = () => ['/api/v1/aliases/', KEY] as const
const streams = [
  ['the list of aliases', list],
  ['the export of a project', () => [`/api/v1/admin/projects/${projectId}/export`, OPERATOR_KEY] as const],
] as const

describe.each(streams)('%s', (_, request) => {
  test('reads no more of the database once its reader has left', async () => {
    const [path, key] = request()
    const before = proxy.bytesDown()
    const answer = await fetch(service.url + path, { headers: { 'X-Project-Key': key } })
    const reader = answer.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    // Another reader takes everything meanwhile: by then the first one would have been sent most of it, too.
    const [other, otherKey] = list()
    expect((await service.call(other, { key: otherKey })).text.length).toBeGreaterThan(whole)
    const read = proxy.bytesDown() - before
    expect(read).toBeGreaterThan(whole)
    expect(read).toBeLessThan(1.5 * whole)
  })
})
