import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RegistryInstance, startRegistryInstance, TTL_SECONDS } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

let database: TestDatabase
let proxy: TcpProxy
let origin: RegistryOrigin
let one: RegistryInstance

beforeEach(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  const databaseUrl = throughProxy(database.url, proxy)
  one = await startRegistryInstance({ databaseUrl, originUrl: origin.url, started: false })
})
afterEach(async () => {
  proxy.restore()
  await one.close()
  await origin.close()
  await proxy.close()
  await database.drop()
})

const googleAt = (version: number) => JSON.stringify({ provider: 'google', version, models: { 'google:g': {} } })

describe('while Postgres is away', () => {
  it('a start loads from the origin, and what it served is archived versions, too', async () => {
    proxy.cut()
    await one.feature.start()
    expect((await one.registry()).version).toBe('anthropic@3+google@2+openai@2')
    expect((await one.get('/registry/openai/v/1/models.json')).status).toBe(200)
    expect((await one.get('/registry/anthropic/v/1/models.json')).status).toBe(404)
  })

  it('new content is served, and kept by the first refresh after it is back', async () => {
    await one.feature.start()
    await one.registry()
    proxy.cut()
    origin.put('google/models.json', googleAt(7))
    one.advance(TTL_SECONDS)
    await eventually(async () => expect((await one.registry()).version).toContain('google@7'))
    proxy.restore()
    one.advance(TTL_SECONDS)
    await one.registry()
    await eventually(async () => expect((await one.get('/registry')).headers.get('age')).toBe('0'))
    await origin.fail('refused')
    await eventually(async () => {
      const two = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url })
      const { version } = await two.registry().finally(two.close)
      expect(version).toContain('google@7')
    })
  })
})
