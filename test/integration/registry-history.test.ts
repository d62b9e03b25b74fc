import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { START_OF_TIME, startRegistryInstance, TTL_SECONDS } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin
let sql: Sql

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
})
afterAll(async () => {
  await sql.end()
  await origin.close()
  await database.drop()
})

const rowsOf = (path: string) => sql<{ version: number; body: Buffer; first: Date; last: Date }[]>`
  select provider_version as version, body, first_fetched_at as first, last_fetched_at as last
  from registry_files where path = ${path} order by first_fetched_at`

const fileOf = (version: number, input: number) =>
  JSON.stringify({
    provider: 'google',
    version,
    models: { 'google:gemma': { dollars_per_million_tokens_input: input } },
  })

describe('the price history', () => {
  it('keeps every content of a file once, as it was served, and when it was served first and last', async () => {
    origin.put('google/models.json', fileOf(8, 1))
    const one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url })
    await one.registry()
    for (const content of [fileOf(8, 1), fileOf(9, 2), fileOf(8, 1)]) {
      origin.put('google/models.json', content)
      one.advance(TTL_SECONDS)
      origin.forget()
      await one.registry()
      await eventually(async () => expect((await one.get('/registry')).headers.get('age')).toBe('0'))
      await eventually(async () => expect((await one.get('/registry/google/models.json')).text).toBe(content))
    }
    await one.close()
    const rows = await rowsOf('google/models.json')
    const at = (loads: number) => new Date(START_OF_TIME + loads * TTL_SECONDS * 1000)
    expect(rows.map(({ version, body, first, last }) => [version, body.toString(), first, last])).toEqual([
      [8, fileOf(8, 1), at(0), at(3)],
      [9, fileOf(9, 2), at(2), at(2)],
    ])
    expect(await rowsOf('manifest.json')).toHaveLength(1)
  })

  it('gives a version that the origin never archived, from the time when it was the current one, and not for good', async () => {
    const one = await startRegistryInstance({
      databaseUrl: database.url,
      originUrl: origin.url,
      atSeconds: 4 * TTL_SECONDS,
    })
    origin.put('google/models.json', fileOf(10, 3))
    await one.registry()
    const nine = await one.get('/registry/google/v/9/models.json')
    expect(nine.text).toBe(fileOf(9, 2))
    expect(nine.headers.get('cache-control')).toBe('public, max-age=60')
    expect((await one.get('/registry?version=google@9')).headers.get('cache-control')).toBe('public, max-age=60')
    const pinned = await one.registry('/registry?version=google@9')
    expect(pinned.models['google:gemma']).toEqual({ dollars_per_million_tokens_input: 2 })
    await one.close()
  })

  it('gives archived versions, and the content that was served last, to a later start without the origin', async () => {
    const one = await startRegistryInstance({
      databaseUrl: database.url,
      originUrl: origin.url,
      atSeconds: 5 * TTL_SECONDS,
    })
    const served = await one.get('/registry/anthropic/v/2/models.json')
    await one.close()
    await origin.fail('refused')
    const two = await startRegistryInstance({
      databaseUrl: database.url,
      originUrl: origin.url,
      atSeconds: 5 * TTL_SECONDS,
    })
    expect((await two.registry()).version).toBe('anthropic@3+google@10+openai@2')
    const again = await two.get('/registry/anthropic/v/2/models.json')
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([
      200,
      served.text,
      served.headers.get('etag'),
    ])
    await two.close()
    await origin.fail(null)
  })
})
