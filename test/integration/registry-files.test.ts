import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RegistryInstance, startRegistryInstance, TTL_SECONDS } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RegistryInstance

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url })
})
afterAll(async () => {
  await one.close()
  await origin.close()
  await database.drop()
})

describe("the origin's files", () => {
  it('go through byte for byte', async () => {
    const paths = ['manifest.json', 'openai/models.json', 'google/v/1/models.json', 'anthropic/v/3/models.json']
    for (const path of paths) {
      const { status, text, headers } = await one.get(`/registry/${path}`)
      expect([path, status]).toEqual([path, 200])
      expect(text).toBe(readFileSync(`${REGISTRY_FIXTURES}${path}`, 'utf8'))
      expect(headers.get('content-type')).toBe('application/json')
      expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    }
  })

  it('are fetched once, however often they are asked for', async () => {
    await Promise.all(Array.from({ length: 5 }, () => one.get('/registry/openai/v/2/models.json')))
    await Promise.all(Array.from({ length: 5 }, () => one.get('/registry/openai/models.json')))
    const asked = origin.requests()
    expect(asked.filter((path) => path === 'openai/v/2/models.json')).toHaveLength(1)
    expect(asked.filter((path) => path === 'openai/models.json')).toHaveLength(1)
  })

  it('are 404 problems for a provider that nobody knows and a version that it lacks', async () => {
    const paths = [
      '/registry/nobody/models.json',
      '/registry/manifest/models.json',
      '/registry/constructor/models.json',
      '/registry/nobody/v/1/models.json',
      '/registry/anthropic/v/1/models.json',
      '/registry/v/1/models.json',
    ]
    for (const path of paths) {
      const { status, json } = await one.get(path)
      expect([path, status]).toEqual([path, 404])
      expect(json).toMatchObject({ code: 'not-found' })
    }
  })
})

describe('keeping answers', () => {
  const paths = ['/registry', '/registry?providers=openai', '/registry/manifest.json', '/registry/v/2/registry.json']

  it('answers a client that has the bytes with 304, the same ETag and the same Cache-Control', async () => {
    for (const path of [...paths, '/registry/openai/v/1/models.json']) {
      const full = await one.get(path)
      const etag = full.headers.get('etag') ?? ''
      expect(etag).toMatch(/^"[\w-]{43}"$/)
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await one.get(path, { 'If-None-Match': header })
        expect([path, header, again.status, again.text]).toEqual([path, header, 304, ''])
        expect(again.headers.get('etag')).toBe(etag)
        expect(again.headers.get('cache-control')).toBe(full.headers.get('cache-control'))
        expect(again.headers.get('content-type')).toBeNull()
      }
      expect((await one.get(path, { 'If-None-Match': '"other"' })).status).toBe(200)
    }
  })

  it('answers HEAD with the headers of GET and no body', async () => {
    for (const path of paths) {
      const full = await one.get(path)
      const head = await one.get(path, {}, 'HEAD')
      expect([path, head.status, head.text]).toEqual([path, 200, ''])
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(full.headers))
    }
  })

  it('says how old the copy is, and lets clients keep it as long as it is fresh here', async () => {
    const { headers } = await one.get('/registry')
    expect(headers.get('cache-control')).toBe(`public, max-age=${TTL_SECONDS}`)
    const age = Number(headers.get('age'))
    one.advance(90)
    expect((await one.get('/registry')).headers.get('age')).toBe(String(age + 90))
    expect((await one.get('/registry/openai/models.json')).headers.get('age')).toBe(String(age + 90))
  })
})
