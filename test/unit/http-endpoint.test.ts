import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NO_PROJECT, type Principal, READS, WRITES } from '../../src/access/principal.js'
import { createBodyLimits } from '../../src/http/body/read-bytes.js'
import { createApp } from '../../src/http/create-app.js'
import type { Endpoint } from '../../src/http/declaration.js'
import { type App, type Guards, mount } from '../../src/http/endpoint.js'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { createServiceReadTurns } from '../../src/http/read-turns.js'
import { AppError } from '../../src/platform/errors.js'
import { createLogger } from '../../src/platform/logger.js'

const KNOWN: Principal = { projectId: NO_PROJECT, role: 'write', keyId: 'k', newKey: null }
const NEW: Principal = { ...KNOWN, keyId: null, newKey: { hash: 'h' } }

/** What happened, in order. */
let events: string[]
beforeEach(() => {
  events = []
})

function guardsFor(principal: Principal | Promise<Principal>): Guards {
  return {
    body: createBodyLimits(100),
    reads: createServiceReadTurns(),
    lane: { add: () => undefined },
    direct: { add: () => undefined },
    admit: (header) => {
      events.push('admit')
      if (header('x-project-key') === 'bad') throw new AppError('key-unknown', 'No.')
      return principal
    },
    provision: (unsettled) => {
      events.push('provision')
      return Promise.resolve({ ...unsettled, keyId: 'settled', newKey: null })
    },
  }
}

type Thing = Endpoint<{ name: string }, { page?: number | undefined }, { a: number } | undefined>

function appWith(extra: Partial<Thing>, principal: Principal | Promise<Principal> = KNOWN): App {
  const app = createApp({ logger: createLogger('silent'), explain: () => undefined })
  mount<{ name: string }, { page?: number | undefined }, { a: number } | undefined>(app, guardsFor(principal), {
    ...{ method: 'get', path: '/things/{name}/', tag: 'Things', operationId: 'getThing', summary: 'A thing' },
    access: READS,
    params: z.object({ name: z.string().max(10) }),
    query: z.object({ page: z.coerce.number().int().min(1).optional() }),
    responses: { 200: { description: 'The thing.' } },
    handle: ({ principal: asking, params, query, body, text }) => {
      events.push('handle')
      return new Response(JSON.stringify({ keyId: asking.keyId, params, query, body, text }))
    },
    ...extra,
  })
  return app
}

const posting: Partial<Thing> = { method: 'post', access: WRITES, body: z.object({ a: z.number() }) }
const post = (app: App, body: string, path = '/things/x') =>
  app.request(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })

describe('a route', () => {
  test('hands over what was parsed, once decoded, and the text of the body as it was sent', async () => {
    const answer = await post(appWith(posting), ' {"b": 2, "a": 1}', '/things/a%2Fb%2525?page=3')
    expect(await answer.json()).toEqual({
      ...{ keyId: 'k', params: { name: 'a/b%25' }, query: { page: 3 }, body: { a: 1 } },
      text: ' {"b": 2, "a": 1}',
    })
  })

  test('is served with a slash at its end and without, however it was declared', async () => {
    for (const path of ['/things/x', '/things/x/']) expect((await appWith({}).request(path)).status).toBe(200)
    const bare = appWith({ path: '/things/{name}' })
    for (const path of ['/things/x', '/things/x/']) expect((await bare.request(path)).status).toBe(200)
    expect((await bare.request('/things/x//')).status).toBe(404)
  })

  test('takes an empty value of the query for none', async () => {
    expect(await (await appWith({}).request('/things/x?page=')).json()).toMatchObject({ query: {} })
    expect((await appWith({}).request('/things/x?page=0')).status).toBe(422)
  })

  test('says of every fault where it is', async () => {
    const answer = await post(appWith(posting), '{"a":"1"}', `/things/${'x'.repeat(11)}?page=x`)
    expect(await answer.json()).toMatchObject({ code: 'validation-failed', errors: [{ pointer: 'path/name' }] })
    const body = await post(appWith(posting), '{"a":"1"}')
    expect(await body.json()).toMatchObject({ errors: [{ pointer: '/a', message: expect.any(String) }] })
  })
})

describe('what is asked of a request comes in this order:', () => {
  test('the key, before anything of the body is read', async () => {
    const app = appWith(posting)
    const headers = { 'Content-Type': 'text/plain', 'X-Project-Key': 'bad' }
    const answer = await app.request('/things/x', { method: 'POST', body: '{', headers })
    expect([answer.status, events]).toEqual([401, ['admit']])
  })

  test('the shape of everything, before a new key gets its project', async () => {
    const app = appWith(posting, NEW)
    for (const body of ['{', '{"a":"x"}', '{"a":1e400}', '', `{"a":1,"b":"${'x'.repeat(100)}"}`]) await post(app, body)
    expect((await post(app, '{"a":1}', `/things/${'x'.repeat(11)}`)).status).toBe(422)
    expect(new Set(events)).toEqual(new Set(['admit']))
  })

  test('the project of a new key, before the handler sees the request', async () => {
    const answer = await post(appWith(posting, Promise.resolve(NEW)), '{"a":1}')
    expect(await answer.json()).toMatchObject({ keyId: 'settled' })
    expect(events).toEqual(['admit', 'provision', 'handle'])
  })

  test('no project at all for a new key that only reads', async () => {
    expect(await (await appWith({}, NEW).request('/things/x')).json()).toMatchObject({ keyId: null })
    expect(events).toEqual(['admit', 'handle'])
  })
})

describe('the deadline of an answer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.runAllTimers()
    vi.useRealTimers()
  })

  const never = () => new Promise<never>(() => undefined)
  const SLOW: readonly (readonly [string, App])[] = [
    ['the handler', appWith({ handle: never })],
    ['authentication', appWith({}, never())],
  ]
  test.each(SLOW)('is kept where %s does not come back: 503, and that it may have happened', async (_, app) => {
    const pending = app.request('/things/x')
    await vi.advanceTimersByTimeAsync(HTTP_LIMITS.responseMsMax)
    const answer = await pending
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await answer.json()).toMatchObject({ code: 'timed-out', detail: expect.stringContaining('may or may not') })
  })

  test('is one timer for many answers, which keeps no process alive behind them', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const answers = [
      appWith({ handle: async () => new Response('late') }).request('/things/x'),
      appWith({ handle: () => Promise.reject(new AppError('not-found', 'No.')) }).request('/things/x'),
    ]
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([200, 404])
    expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false])
  })
})
