import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { eventually } from '../support/eventually.js'
import { SECRET, startHttpWorld } from '../support/http-world.js'

const { server, metrics, lines, requestLine, ended, inFlight, get, exchange } = await startHttpWorld()
afterAll(() => server.drain(100))
beforeEach(() => {
  lines.length = 0
})

describe('an unexpected error', () => {
  test.each(['/unexpected', '/at-once'])(
    'of %s is a problem that says nothing of it; the log says it',
    async (path) => {
      const answer = await get(path)
      const text = await answer.text()
      expect(answer.status).toBe(500)
      expect(JSON.parse(text)).toMatchObject({ code: 'internal-error', request_id: answer.headers.get('x-request-id') })
      expect(text).not.toContain(SECRET)
      const logged = lines.find((line) => line.message === 'unexpected error')
      expect(logged?.fields).toMatchObject({
        request_id: answer.headers.get('x-request-id'),
        error: { message: SECRET },
      })
    },
  )

  test('that is the trouble of a dependency becomes its problem', async () => {
    const answer = await get('/explained')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await answer.text()).not.toContain(SECRET)
  })
})

describe('an answer that is streamed', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('ends for the generator, too, when the reader leaves', async () => {
    const answer = await get('/numbers')
    const reader = answer.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await eventually(() => expect(ended()).toBe(1))
    await eventually(() => expect(requestLine('/numbers')?.fields).toMatchObject({ status: 499 }))
  })

  test('ends at once for a generator that waits for its next event, and so does what it waits for', async () => {
    const before = ended()
    const answer = await get('/waits')
    const reader = answer.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await eventually(() => expect(ended()).toBe(before + 1))
    await eventually(() => expect(requestLine('/waits')?.fields).toMatchObject({ status: 499 }))
    expect(lines.filter((line) => line.level === 'error')).toEqual([])
  })

  test('is ended where only its head is asked for, or not begun at all if it is made while it is read', async () => {
    const before = ended()
    const head = await fetch(`${server.url}/waits`, { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('content-type')]).toEqual([200, '', 'text/plain'])
    for (const path of ['/silent', '/events']) {
      expect((await fetch(server.url + path, { method: 'HEAD' })).status).toBe(200)
    }
    await eventually(() => expect([ended(), inFlight()]).toEqual([before + 1, 0]))
  })

  test('that breaks off is seen to: the transfer fails, and nothing of the reason is sent or printed', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const answer = await get('/breaks-off')
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    expect(JSON.stringify(printed.mock.calls)).not.toContain(SECRET)
    await eventually(() =>
      expect(requestLine('/breaks-off')).toMatchObject({ level: 'error', fields: { status: 500 } }),
    )
    expect(requestLine('/breaks-off')?.fields['error']).toMatchObject({ message: SECRET })
    // An open route has no project, and its line names none.
    expect(requestLine('/breaks-off')?.fields).not.toHaveProperty('project_id')
    expect(await exchange('GET /breaks-off HTTP/1.1\r\nHost: a\r\n\r\n')).not.toContain(SECRET)
  })
})

test('a handler that takes longer than its route allows is told that nothing waits for it any more', async () => {
  const before = ended()
  const answer = await get('/too-slow')
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('timed-out')])
  expect(ended()).toBe(before + 1)
})

describe('the log line of a request', () => {
  test('is an error if something here is unavailable, and one of so many a second: anybody can ask for it', async () => {
    const asked = HTTP_LIMITS.refusalLinesPerSecondMax + 20
    const written = () => lines.filter(({ level, fields }) => level === 'error' && fields['route'] === '/explained')
    const before = written().length
    await Promise.all(Array.from({ length: asked }, () => get('/explained')))
    const sums = () => lines.filter(({ message }) => message.endsWith('more refused requests'))
    await eventually(() => expect(sums().at(-1)).toMatchObject({ level: 'error' }))
    expect(written().length - before).toBeLessThan(asked)
  })

  test('names the pattern of the route, the client behind the proxy, and the problem', async () => {
    const answer = await get('/nowhere?secret=1', {
      'X-Forwarded-For': '6.6.6.6, 203.0.113.9',
      'X-Request-Id': 'mine-1',
    })
    expect(answer.headers.get('x-request-id')).toBe('mine-1')
    await eventually(() => expect(requestLine('(unmatched)')).toBeDefined())
    expect(requestLine('(unmatched)')).toMatchObject({
      level: 'info',
      fields: { request_id: 'mine-1', method: 'GET', route: '(unmatched)', status: 404, code: 'not-found' },
    })
    expect(requestLine('(unmatched)')?.fields['address']).toBe('203.0.113.9')
    expect(JSON.stringify(lines)).not.toContain('secret=1')
  })

  test.each(['a b', 'x'.repeat(129), 'ä', '<script>'])('takes no request id that is not plain: %j', async (sent) => {
    const answer = await get('/ok', { 'X-Request-Id': sent })
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('is left out where the request went well', async () => {
    await (await get('/ok')).text()
    await (await get('/nowhere')).text()
    await eventually(() => expect(requestLine('(unmatched)')?.fields).toMatchObject({ status: 404 }))
    expect(requestLine('/ok')).toBeUndefined()
  })
})

describe('a flood of refused requests', () => {
  test('gets ten lines a second, and one that counts the rest', async () => {
    const other = await startHttpWorld()
    const refused = await Promise.all(Array.from({ length: 60 }, () => other.get('/nowhere')))
    expect(new Set(refused.map((answer) => answer.status))).toEqual(new Set([404]))
    const written = () => other.lines.filter((line) => line.message === 'request').length
    const summed = () =>
      other.lines
        .filter((line) => /^and \d+ more/.test(line.message))
        .reduce((sum, line) => sum + Number(line.fields['more']), 0)
    await eventually(() => expect(written() + summed()).toBe(60))
    expect(summed()).toBeGreaterThan(0)
    await other.server.drain(100)
  })
})

describe('the metrics', () => {
  test('count requests by the pattern of the route, and strange methods together', async () => {
    await exchange('PROPFIND /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await (await get('/ok?x=1')).text()
    await eventually(async () => {
      const { text } = await metrics.expose()
      expect(text).toMatch(/llmring_http_request_duration_seconds_count\{route="\/ok",method="GET",status="200"\} \d+/)
      expect(text).toMatch(/route="\(unmatched\)",method="OTHER",status="405"/)
    })
  })

  test('count what is no HTTP, once, and it has a log line without what was sent', async () => {
    const other = await startHttpWorld()
    const sent = await Promise.all(Array.from({ length: 20 }, () => other.exchange('RUBBISH secret\r\n\r\n')))
    expect(new Set(sent.map((answer) => answer.slice(9, 12)))).toEqual(new Set(['400']))
    const { text } = await other.metrics.expose()
    expect(text).toMatch(/_count\{route="\(unparsed\)",method="OTHER",status="400"\} 20\n/)
    const written = other.lines.filter((line) => line.fields['route'] === '(unparsed)')
    expect(written.length).toBeGreaterThan(0)
    expect(written.length).toBeLessThan(20)
    expect(written[0]?.fields).toMatchObject({ status: 400, code: 'malformed-request', address: '127.0.0.1' })
    expect(sent.some((answer) => answer.includes(String(written[0]?.fields['request_id'])))).toBe(true)
    expect(JSON.stringify(other.lines)).not.toContain('secret')
    await other.server.drain(100)
  })
})
