import { afterAll, describe, expect, test } from 'vitest'
import { readSourceFiles } from '../arch/source-files.js'
import { expectManners } from './expect-problem.js'
import { keyFor, openContract } from './open-contract.js'
import { refusedSampleOf, sampleOf } from './samples.js'

const contract = await openContract()
const open = await openContract({ LLMRING_CORS_ORIGINS: '*' })
afterAll(() => Promise.all([contract.close(), open.close()]))

const DEFAULT_ORIGINS = ['http://localhost:5173', 'http://localhost:5174']
const FOREIGN = [
  'https://evil.example',
  'http://localhost:5175',
  'http://localhost:5173.evil.example',
  'null',
  'http://LOCALHOST:5173',
]
const { operations, ours } = contract

/** Of the Fetch standard: what a page may not set, or always may; or what a proxy of ours sets. */
const NOT_SET_BY_PAGES = [
  ...['access-control-request-method', 'content-length', 'expect', 'host', 'origin', 'transfer-encoding', 'upgrade'],
  ...['accept', 'x-forwarded-for'],
]
const READ_BY_ALL = ['cache-control', 'content-length', 'content-type']
/** For browsers, connections and caches. */
const NOT_FOR_PAGES = [
  ...['connection', 'keep-alive', 'date', 'transfer-encoding', 'vary', 'www-authenticate', 'allow', 'age'],
  ...['content-security-policy', 'referrer-policy', 'strict-transport-security', 'x-content-type-options'],
  'content-disposition',
]

const sources = (): string[] =>
  readSourceFiles('src')
    .filter(({ path }) => /^src\/(http|features)\//.test(path) && path !== 'src/http/cors.ts')
    .map(({ text }) => text)

/** The names of all headers of requests that the source reads. Node writes them small; what is sent begins with a capital. */
function headersRead(): string[] {
  const ways = [
    /\bheader\(\s*'([\w-]+)'\s*\)/g,
    /\bheaders\['([a-z-]+)'\]/g,
    /\bheaders\.(?!(?:get|push|map|js|full|unchanged)\b)([a-z]+)\b/g,
  ]
  const found = sources().flatMap((text) => ways.flatMap((way) => [...text.matchAll(way)].map(([, name = '']) => name)))
  return [...new Set(found)].sort()
}

const listed = (value: string | null): string[] => (value ?? '').split(', ')

describe.concurrent.each(operations)('$name', (operation) => {
  test('may be asked for by a page of a known origin, with its method and its headers', async () => {
    const { path } = await refusedSampleOf(contract, operation.name)
    for (const origin of DEFAULT_ORIGINS) {
      const preflight = await contract.ask(path, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': operation.method,
          'Access-Control-Request-Headers': 'authorization,content-type,x-project-key',
        },
      })
      expect([preflight.status, preflight.text]).toEqual([204, ''])
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
      expect(listed(preflight.headers.get('access-control-allow-methods'))).toContain(operation.method)
      expect(preflight.headers.get('vary')).toBe('Origin')
      expectManners(preflight)
    }
  })

  test('shows its answer to a page of a known origin and to no other', async () => {
    const { path, json, key = keyFor(operation, ours) } = await sampleOf(contract, operation.name)
    for (const origin of [DEFAULT_ORIGINS[0] ?? '', ...FOREIGN]) {
      const init = { method: operation.method, key, headers: { Origin: origin } }
      const answer = await contract.ask(path, { ...init, ...(json === undefined ? {} : { json }) })
      const allowed = DEFAULT_ORIGINS.includes(origin)
      expect([origin, answer.headers.get('access-control-allow-origin')]).toEqual([origin, allowed ? origin : null])
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
      if (operation.method !== 'GET') break
    }
  })
})

describe('a page of a foreign origin', () => {
  test.each(FOREIGN)('%s is not let in by a preflight', async (origin) => {
    const preflight = await contract.ask('/api/v1/log', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    })
    const leaves = [...preflight.headers.keys()].filter((name) => name.startsWith('access-control-'))
    expect(leaves).toEqual([])
  })
})

describe('a page of a known origin', () => {
  const headers = { Origin: DEFAULT_ORIGINS[1] ?? '' }

  test('may send the headers that some route reads, and no others', async () => {
    const method = { 'Access-Control-Request-Method': 'POST' }
    const preflight = await contract.ask('/api/v1/log', { method: 'OPTIONS', headers: { ...headers, ...method } })
    const allowed = listed(preflight.headers.get('access-control-allow-headers')).map((name) => name.toLowerCase())
    expect(headersRead().length).toBeGreaterThan(10)
    expect(allowed.sort()).toEqual(headersRead().filter((name) => !NOT_SET_BY_PAGES.includes(name)))
  })

  test('may read the headers that some response carries for it, and no others', async () => {
    const exposed = listed((await contract.ask('/health', { headers })).headers.get('access-control-expose-headers'))
    // Of an answer from memory while the database is away, which no sample is.
    expect(exposed).toContain('X-LLMRing-Stale')
    const literals = sources().join('\n')
    for (const name of exposed) expect(literals).toMatch(new RegExp(`\\b${name}'?\\]?:`))
    const sent = new Set<string>()
    for (const operation of operations) {
      const sample = await sampleOf(contract, operation.name)
      const init = { method: operation.method, ...(sample.json === undefined ? {} : { json: sample.json }) }
      for (const key of [keyFor(operation, ours), null]) {
        for (const name of (await contract.ask(sample.path, { ...init, key })).headers.keys()) sent.add(name)
      }
    }
    expect([...sent]).toEqual(expect.arrayContaining(['x-request-id', 'etag', 'x-registry-source']))
    const known = [...exposed.map((name) => name.toLowerCase()), ...READ_BY_ALL, ...NOT_FOR_PAGES]
    expect([...sent].filter((name) => !known.includes(name))).toEqual([])
  })

  test('can read why it was refused', async () => {
    for (const [path, status] of [
      ['/api/v1/logs', 401],
      ['/nowhere', 404],
    ] as const) {
      const answer = await contract.ask(path, { headers })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, headers.Origin])
    }
  })

  test('asks for an answer of its own of every cache between', async () => {
    for (const origin of [{}, headers]) {
      expect((await contract.ask('/registry', { headers: origin })).headers.get('vary')).toMatch(/\bOrigin\b/)
    }
  })
})

describe('OPTIONS without a preflight', () => {
  test('is a method like any other', async () => {
    const answer = await contract.ask('/api/v1/log', {
      method: 'OPTIONS',
      headers: { Origin: DEFAULT_ORIGINS[0] ?? '' },
    })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe.each([
  ['/api/v1/aliases/resolve', 'GET, HEAD'],
  ['/api/v1/aliases/resolve/', 'GET, HEAD'],
  ['/api/v1/aliases/bind', 'POST'],
  ['/api/v1/aliases/anything', 'GET, HEAD, PUT, DELETE'],
])('%s', (path, allow) => {
  test.each(['OPTIONS', 'PATCH'])('names its own methods in answer to %s', async (method) => {
    const answer = await contract.ask(path, { method, key: contract.ours.key })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
  })
})

describe('with * for the origins', () => {
  test('every page is let in, but never with credentials', async () => {
    const headers = { Origin: 'https://anywhere.example', 'Access-Control-Request-Method': 'PUT' }
    for (const answer of [
      await open.ask('/health', { headers }),
      await open.ask('/x', { method: 'OPTIONS', headers }),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    }
  })
})
