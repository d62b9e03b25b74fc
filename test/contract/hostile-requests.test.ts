import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { PROBLEMS, type ProblemCode } from '../../src/platform/problem-catalogue.js'
import { exchangeRaw, type RawAnswer } from '../support/raw-http.js'
import { HOST, head, MALFORMED } from './malformed-requests.js'
import { BODY_BYTES_MAX, openContract } from './open-contract.js'
import { bindingOf, EVENT } from './samples.js'

const contract = await openContract()
afterAll(() => contract.close())

const { url } = contract
const { key } = contract.ours
const JSON_TYPE = 'Content-Type: application/json'
const BEARER = `Authorization: Bearer ${key}`

const post = (path: string, body: string, ...headers: string[]): string =>
  head(`POST ${path}`, HOST, BEARER, JSON_TYPE, `Content-Length: ${Buffer.byteLength(body)}`, ...headers) + body
const logEvent = (origin: string, ...headers: string[]) =>
  post('/api/v1/log', JSON.stringify({ ...EVENT, origin }), ...headers)

async function answersTo(...steps: Parameters<typeof exchangeRaw>[1]): Promise<readonly RawAnswer[]> {
  return (await exchangeRaw(url, steps)).answers
}

async function answerTo(...steps: Parameters<typeof exchangeRaw>[1]): Promise<RawAnswer> {
  const [answer] = await answersTo(...steps)
  if (answer === undefined) throw new Error('there was no answer')
  return answer
}

function expectRawProblem(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  expect(JSON.parse(answer.body)).toEqual({
    ...{ type: `urn:llmring:problem:${code}`, status, code },
    ...{ title: expect.any(String), detail: expect.any(String) },
    request_id: answer.headers['x-request-id'],
  })
}

/** How many events of this origin were recorded. */
async function recorded(origin: string): Promise<number> {
  return ((await contract.ask(`/api/v1/logs?origin=${origin}`, { key })).json as unknown[]).length
}

describe('a request that is no HTTP/1.1', () => {
  test.each(MALFORMED)('is refused with a problem: %s', async (_, text) => {
    expectRawProblem(await answerTo(text), 400, 'malformed-request')
  })
})

describe('a request that is unusual', () => {
  const UNUSUAL: readonly (readonly [string, string, 200 | ProblemCode])[] = [
    ['an absolute target', head(`GET ${url}/health`, HOST), 200],
    ['an absolute target of another host', head('GET http://evil.example/health', HOST), 200],
    ['a Host of somebody else', head('GET /health', 'Host: evil.example'), 200],
    ['no version at all', 'GET /health\r\n\r\n', 200],
    ['HTTP/1.0 without a Host', 'GET /health HTTP/1.0\r\n\r\n', 200],
    ['a body with GET', `${head('GET /health', HOST, 'Content-Length: 4')}body`, 200],
    ['an upgrade', head('GET /health', HOST, 'Connection: Upgrade', 'Upgrade: h2c'), 200],
    ['an unknown expectation', head('GET /health', HOST, 'Expect: miracles'), 200],
    ['two slashes', head('GET //health', HOST), 'not-found'],
    ['two slashes at the end', head('GET /health//', HOST), 'not-found'],
    ['a fragment', head('GET /health#part', HOST), 200],
    ['an empty query', head('GET /health?', HOST), 200],
    ['the path in capitals', head('GET /HEALTH', HOST), 'not-found'],
    ['TRACE', head('TRACE /health', HOST), 'method-not-allowed'],
    ['PROPFIND', head('PROPFIND /health', HOST), 'method-not-allowed'],
    [
      'the two key headers twice, alike',
      head('GET /api/v1/logs', HOST, `X-API-Key: ${key}`, `X-API-Key: ${key}`),
      'malformed-key',
    ],
    [
      'the key in three places',
      head('GET /api/v1/logs', HOST, BEARER, `X-API-Key: ${key}`, `X-Project-Key: ${key}`),
      200,
    ],
    ['two bearers', head('GET /api/v1/logs', HOST, BEARER, 'Authorization: Bearer other'), 'malformed-key'],
    ['a key beyond ASCII', head('GET /api/v1/aliases/', HOST, 'X-API-Key: \xe9\xff'), 200],
    ['a method that is overridden', head('GET /health', HOST, 'X-HTTP-Method-Override: DELETE'), 200],
    ['forwarded addresses', head('GET /health', HOST, `X-Forwarded-For: ${'1.1.1.1, '.repeat(500)}`), 200],
  ]
  test.each(UNUSUAL)('is served or refused like any other: %s', async (_, text, outcome) => {
    const answer = await answerTo(Buffer.from(text, 'latin1'))
    if (outcome === 200) expect(answer.status).toBe(200)
    else expectRawProblem(answer, PROBLEMS[outcome].status, outcome)
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-request-id': expect.any(String) })
  })

  test('two bearers are refused where the answer is in memory, too', async () => {
    const path = '/api/v1/aliases/resolve?alias=two-bearers'
    await contract.ask('/api/v1/aliases/bind', { key, json: { alias: 'two-bearers', model: 'openai:gpt-4o' } })
    await contract.ask(path, { key })
    const before = contract.laneAnswers()
    expect((await answerTo(head(`GET ${path}`, HOST, BEARER))).status).toBe(200)
    expect(contract.laneAnswers()).toBe(before + 1)
    const both = await answerTo(head(`GET ${path}`, HOST, BEARER, 'Authorization: Bearer other'))
    expectRawProblem(both, PROBLEMS['malformed-key'].status, 'malformed-key')
  })

  test('CONNECT is not served', async () => {
    const { answers } = await exchangeRaw(url, [head('CONNECT evil.example:443', 'Host: evil.example:443')])
    expect(answers).toEqual([])
  })
})

describe('a header that carries another one', () => {
  test.each([
    'X-Request-Id: a%0d%0aX-Injected: yes',
    'X-Request-Id: a b',
    'X-Request-Id: <script>',
    `X-Request-Id: ${'a'.repeat(129)}`,
  ])('is not given back: %s', async (header) => {
    const answer = await answerTo(head('GET /health', HOST, header))
    expect(answer.headers).not.toHaveProperty('x-injected')
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('in an Origin, an address or a query is not given back either', async () => {
    const value = 'http://localhost:5173%0d%0aX-Injected: yes'
    const answers = [
      await answerTo(head('GET /health', HOST, `Origin: ${value}`)),
      await answerTo(head('GET /a%0d%0aX-Injected:%20yes', HOST)),
      await answerTo(head('GET /registry?providers=%0d%0aX-Injected:%20yes', HOST)),
      await answerTo(head('GET /api/v1/aliases/%0d%0aX-Injected:%20yes', HOST, BEARER)),
    ]
    for (const answer of answers) expect(answer.headers).not.toHaveProperty('x-injected')
  })
})

describe('several requests on one connection', () => {
  test('are answered in their order, however they arrive', async () => {
    await contract.ask('/api/v1/aliases/bind', { key, json: bindingOf('pipelined') })
    const text = [
      head('GET /livez', HOST),
      logEvent('pipelined'),
      head('GET /nowhere', HOST),
      post('/api/v1/aliases/bind', JSON.stringify(bindingOf('another'))),
      head('GET /api/v1/aliases/pipelined', HOST, BEARER),
      head('HEAD /health', HOST),
    ].join('')
    const cut = Math.floor(text.length / 2) + 3
    const { answers } = await exchangeRaw(url, [text.slice(0, cut), text.slice(cut)], 5)
    expect(answers.slice(0, 5).map((answer) => answer.status)).toEqual([200, 200, 404, 200, 200])
    expect(answers[0]?.body).toContain('alive')
    expect(answers[4]?.body).toContain('"alias":"pipelined"')
    expect(await recorded('pipelined')).toBe(1)
  })

  test('that follow a wish to upgrade are not left waiting: the connection closes after its answer', async () => {
    const wish = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c']
    for (const target of ['/health', '/receipts/public-key.jwk']) {
      const answers = await answersTo(head(`GET ${target}`, HOST, ...wish) + head('GET /health', HOST))
      expect(answers.map((answer) => answer.status)).toEqual([200])
      expect(answers[0]?.headers['connection']).toBe('close')
    }
  })

  test('do not see each other: a key of one is no key of the next', async () => {
    const { answers } = await exchangeRaw(
      url,
      [head('GET /api/v1/logs', HOST, BEARER) + head('GET /api/v1/logs', HOST)],
      2,
    )
    expect(answers.map((answer) => answer.status)).toEqual([200, 401])
  })

  test('are served after one that was refused before its body was read', async () => {
    const refused = `${head('POST /api/v1/log', HOST, JSON_TYPE, 'Content-Length: 10')}0123456789`
    const { answers } = await exchangeRaw(url, [refused + head('GET /livez', HOST)], 2)
    expect(answers.map((answer) => answer.status)).toEqual([401, 200])
  })

  test('that smuggle a request in a body do not have it served', async () => {
    const smuggled = logEvent('smuggled')
    const { answers } = await exchangeRaw(url, [post('/api/v1/log', smuggled) + head('GET /livez', HOST)], 2)
    expect(answers.map((answer) => answer.status)).toEqual([400, 200])
    expect(await recorded('smuggled')).toBe(0)
  })
})

describe('a body', () => {
  const chunked = (...headers: string[]) =>
    head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, 'Transfer-Encoding: chunked', ...headers)
  const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
  const event = (origin: string): string => JSON.stringify({ ...EVENT, origin })

  test('in chunks is one body', async () => {
    const pieces = event('in-chunks').match(/.{1,7}/gs) ?? []
    const answer = await answerTo(`${chunked()}${pieces.map(chunk).join('')}0\r\n\r\n`)
    expect([answer.status, await recorded('in-chunks')]).toEqual([200, 1])
  })

  test('in chunks that goes beyond the limit is refused while it is being sent, and is not waited for', async () => {
    const large = chunk('x'.repeat(BODY_BYTES_MAX / 2))
    const answer = await answerTo(chunked(), large, large, chunk('{"too":"much"'))
    expectRawProblem(answer, 413, 'body-too-large')
  })

  test('that is announced as too large is refused before it is sent', async () => {
    const answer = await answerTo(head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, 'Content-Length: 999999999'))
    expectRawProblem(answer, 413, 'body-too-large')
  })

  test('that is held back until it is wanted is wanted, and served', async () => {
    const text = event('expected')
    const headers = [`Content-Length: ${Buffer.byteLength(text)}`, 'Expect: 100-continue']
    const answer = await answerTo(
      head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, ...headers),
      { waitFor: 'HTTP/1.1 100 Continue\r\n\r\n' },
      text,
    )
    expect([answer.status, await recorded('expected')]).toEqual([200, 1])
  })

  test('that is shorter than announced writes nothing', async () => {
    const text = event('too-short')
    const whole = head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, `Content-Length: ${text.length + 1}`) + text
    const socket = exchangeRaw(url, [whole, head('GET /livez', HOST)], 1)
    const { answers } = await socket
    expect(answers[0]?.status).toBe(400)
    expect(await recorded('too-short')).toBe(0)
  })

  test('that is longer than announced is cut where it was announced to end, and the rest is no request', async () => {
    const text = event('too-long')
    const cut = head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, `Content-Length: ${text.length - 5}`) + text
    const { answers } = await exchangeRaw(url, [cut], 2)
    expect(answers.map((answer) => answer.status)).toEqual([400, 400])
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ code: 'malformed-json' })
    expect(await recorded('too-long')).toBe(0)
  })

  test.each(['zz\r\n', '5\r\nabc\r\n', `${'f'.repeat(17)}\r\n`, '-1\r\n'])(
    'in broken chunks (%j) writes nothing',
    async (broken) => {
      const answers = await answersTo(`${chunked()}${chunk(event('broken-chunks'))}${broken}0\r\n\r\n`)
      expect(answers.map((answer) => answer.status)).toEqual([400])
      expect(await recorded('broken-chunks')).toBe(0)
    },
  )

  test.each(['gzip', 'gzip, chunked', 'chunked, gzip', 'identity'])(
    'in the transfer encoding %s is refused behind a method that has none, too, and what follows is not served',
    async (coding) => {
      const odd = head('GET /livez', HOST, `Transfer-Encoding: ${coding}`)
      const { answers } = await exchangeRaw(url, [odd + logEvent('behind-odd-encoding')], 2)
      expect(answers.map((answer) => answer.status)).toEqual([400])
      expect(answers[0]?.headers['connection']).toBe('close')
      expectRawProblem(answers[0] as RawAnswer, 400, 'malformed-request')
      expect(await recorded('behind-odd-encoding')).toBe(0)
    },
  )

  test('in an unknown transfer encoding writes nothing', async () => {
    const odd = head('POST /api/v1/log', HOST, BEARER, JSON_TYPE, 'Transfer-Encoding: gzip') + event('odd-encoding')
    expectRawProblem(await answerTo(odd), 400, 'malformed-request')
    expect(await recorded('odd-encoding')).toBe(0)
  })

  test('that is compressed is not taken for JSON, and is no secret of what it unfolds to', async () => {
    const cut = await answerTo(post('/api/v1/log', '\x1f\x8b\x08', 'Content-Encoding: gzip'))
    expectRawProblem(cut, 400, 'malformed-request')
    const bomb = gzipSync(JSON.stringify({ ...EVENT, origin: 'bomb', metadata: { text: 'x'.repeat(BODY_BYTES_MAX) } }))
    const announced = head(
      'POST /api/v1/log',
      HOST,
      BEARER,
      JSON_TYPE,
      'Content-Encoding: gzip',
      `Content-Length: ${bomb.length}`,
    )
    expectRawProblem(await answerTo(announced, new Uint8Array(bomb)), 413, 'body-too-large')
    expect(await recorded('bomb')).toBe(0)
  })

  test('with two content types is refused', async () => {
    const answer = await answerTo(post('/api/v1/log', event('two-types'), 'Content-Type: text/plain'))
    expect([answer.status, await recorded('two-types')]).toEqual([415, 0])
  })
})

test('after all this the service answers, and its database works', async () => {
  expect((await contract.ask('/readyz')).json).toMatchObject({ status: 'ready' })
})
