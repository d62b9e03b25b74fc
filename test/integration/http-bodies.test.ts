import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createBodyBudget } from '../../src/http/body/body-budget.js'
import { type BodyLimits, createBodyLimits } from '../../src/http/body/read-bytes.js'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { eventually } from '../support/eventually.js'
import { type HttpWorld, startHttpWorld } from '../support/http-world.js'

const KIB = 1024
let world: HttpWorld
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await world.server.drain(100)
})

/** A service that reads bodies of 64 KiB, four at a time, two of them from one caller, one on routes without a key. */
async function start(limits: Partial<BodyLimits> = {}): Promise<BodyLimits['budget']> {
  const budget = createBodyBudget({ bytesMax: 256 * KIB, callerShare: 1 / 2, publicShare: 1 / 2 })
  world = await startHttpWorld({ body: { ...createBodyLimits(64 * KIB), msMax: 60_000, budget, ...limits } })
  return budget
}

const headOf = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
const json = (length: number): string => `"${'x'.repeat(length - 2)}"`

/** Announces a body and sends a part of it. */
async function stall(path: string, length = 64 * KIB, sent = 60 * KIB): Promise<Socket> {
  const socket = await world.open(headOf(path, length) + json(length).slice(0, sent))
  sockets.push(socket)
  return socket
}

async function receive(socket: Socket): Promise<string> {
  let received = ''
  socket.on('data', (data) => {
    received += String(data)
  })
  if (!socket.closed) await once(socket, 'close')
  return received
}

const send = (path: string, length: number): Promise<Response> =>
  fetch(world.server.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: json(length),
  })

describe('the bytes of a body are given back', () => {
  test('when it was read and answered, and not before', async () => {
    const budget = await start()
    const response = send('/held-echo', 10_000)
    await eventually(() => expect(world.held).toHaveLength(1))
    expect(budget.held()).toBe(10_000)
    for (const release of world.held.splice(0)) release()
    expect((await (await response).text()).length).toBe(10_000)
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('when it is refused', async () => {
    const budget = await start()
    const chunked = headOf('/echo', 0).replace('Content-Length: 0', 'Transfer-Encoding: chunked')
    const chunk = `${(40 * KIB).toString(16)}\r\n${'x'.repeat(40 * KIB)}\r\n`
    expect(await world.exchange(chunked + chunk + chunk)).toContain('body-too-large')
    expect(budget.held()).toBe(0)
    expect((await send('/echo', 64 * KIB + 1)).status).toBe(413)
    expect(budget.held()).toBe(0)
  })

  test('when it does not arrive in time: it gets a 408, and its connection is closed', async () => {
    const budget = await start({ msMax: 200 })
    const received = await receive(await stall('/echo'))
    expect(received).toMatch(/^HTTP\/1\.1 408 /)
    expect(received).toMatch(/\r\nConnection: close\r\n/i)
    expect(received).toContain('"code":"request-timeout"')
    expect(budget.held()).toBe(0)
    expect(world.requestLine('/echo')?.fields).toMatchObject({ status: 408, code: 'request-timeout' })
  })

  test('when its connection closes before there is an answer', async () => {
    const budget = await start()
    const socket = await stall('/echo')
    await eventually(() => expect(budget.held()).toBeGreaterThan(0))
    socket.destroy()
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('when its connection closes while its handler works', async () => {
    const budget = await start()
    const socket = await stall('/held-echo', 1_000, 1_000)
    await eventually(() => expect(world.held).toHaveLength(1))
    expect(budget.held()).toBe(1_000)
    socket.destroy()
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('when its connection closes after the answer', async () => {
    const budget = await start({ msMax: 200 })
    const socket = await stall('/echo')
    await once(socket, 'data')
    socket.destroy()
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('when others wait behind it on its connection, which closes, and they took nothing yet', async () => {
    const budget = await start()
    const socket = await stall('/held-echo', 1_000, 1_000)
    socket.write(headOf('/held-echo', 2_000) + json(2_000) + headOf('/echo', 3_000) + json(3_000))
    await eventually(() => expect(world.inFlight()).toBe(3))
    expect(budget.held()).toBe(1_000)
    socket.destroy()
    await eventually(() => expect(world.inFlight()).toBe(0))
    expect(budget.held()).toBe(0)
  })

  test('when its handler is done, and the request behind it takes its own', async () => {
    const budget = await start()
    const socket = await stall('/held-echo', 1_000, 1_000)
    socket.write(headOf('/held-echo', 2_000) + json(2_000))
    await eventually(() => expect([world.held.length, budget.held()]).toEqual([1, 1_000]))
    world.held[0]?.()
    await eventually(() => expect([world.held.length, budget.held()]).toEqual([2, 2_000]))
  })
})

describe('the memory of a body', () => {
  test('is free once it is answered, while its connection waits for the next request', async () => {
    const bytes = 1_024 * KIB
    await start(createBodyLimits(bytes))
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held = () => {
      collect()
      return process.memoryUsage().arrayBuffers
    }
    const before = held()
    // A text is not echoed, so that the body is all that is large: it is refused after it was read whole.
    const refused = headOf('/keyed-echo', bytes) + 'x'.repeat(bytes)
    for (let index = 0; index < 8; index += 1) {
      const socket = await world.open(refused)
      sockets.push(socket)
      expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\nConnection: keep-alive/)
    }
    await eventually(() => expect(held() - before).toBeLessThan(2 * bytes))
  })
})

describe('the budget for bodies', () => {
  test('is not spent by callers without a key', async () => {
    await start()
    await stall('/echo', 64 * KIB, 63 * KIB)
    await eventually(async () => expect((await send('/echo', 10_000)).status).toBe(503))
    expect((await send('/keyed-echo', 60_000)).status).toBe(200)
  })

  test('is not spent by one caller', async () => {
    const budget = await start()
    await Promise.all([1, 2].map(() => stall('/keyed-echo', 64 * KIB, 63 * KIB)))
    await eventually(() => expect(budget.held()).toBeGreaterThanOrEqual(126 * KIB))
    const refused = await send('/keyed-echo', 10_000)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await refused.json()).toMatchObject({ code: 'overloaded' })
    // The service believes one proxy in this test, so this is another caller.
    const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': '203.0.113.9' }
    const other = await fetch(`${world.server.url}/keyed-echo`, { method: 'POST', headers, body: json(60_000) })
    expect(other.status).toBe(200)
  })

  test('is whole again after 140 bodies that stalled past their deadline', async () => {
    const budget = await start({ bytesMax: 4 * KIB * KIB, msMax: 1_000 })
    const all = await Promise.all(
      Array.from({ length: 140 }, (_, index) =>
        index % 2 === 0 ? stall('/echo', HTTP_LIMITS.publicBodyBytesMax) : stall('/keyed-echo', 4 * KIB * KIB),
      ),
    )
    const statuses = await Promise.all(all.map(async (socket) => (await receive(socket)).slice(9, 12)))
    expect(new Set(statuses)).toEqual(new Set(['408', '503']))
    expect(budget.held()).toBe(0)
    for (const path of ['/echo', '/keyed-echo']) expect((await send(path, 60_000)).status).toBe(200)
  })
})

describe('the limit of a body', () => {
  test('is the last size that passes', async () => {
    await start()
    const whole = await send('/keyed-echo', 64 * KIB)
    expect([whole.status, (await whole.text()).length]).toEqual([200, 64 * KIB])
    const larger = await send('/keyed-echo', 64 * KIB + 1)
    expect([larger.status, await larger.json()]).toMatchObject([413, { code: 'body-too-large' }])
  })
})

describe('a body', () => {
  const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const answer = await fetch(world.server.url + path, { method: 'POST', body, headers })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text }
  }
  const type = (mediaType: string) => ({ 'Content-Type': mediaType })
  const gzip = (text: string | Uint8Array) => new Uint8Array(gzipSync(text))
  const GZIP = { ...type('application/json'), 'Content-Encoding': 'gzip' }

  test('is what its route declares: a list, lines or a text', async () => {
    await start()
    const sent: readonly (readonly [string, string, unknown])[] = [
      ['application/json', '[{"n":1},{"n":2}]', [{ n: 1 }, { n: 2 }]],
      ['application/x-ndjson', '{"n":1}\n{"n":2}', [{ n: 1 }, { n: 2 }]],
      ['application/ndjson', '{"n":1}\r\n', [{ n: 1 }]],
      ['application/x-ndjson', '', []],
      ['application/toml; charset=utf-8', 'a = "é"\n', 'a = "é"\n'],
    ]
    for (const [mediaType, body, expected] of sent) {
      const answer = await post('/kinds', body, type(mediaType))
      expect([mediaType, answer.status, JSON.parse(answer.text)]).toEqual([mediaType, 200, expected])
    }
    const other = await post('/kinds', 'a', type('text/plain'))
    expect([other.status, other.headers.get('accept-encoding')]).toEqual([415, null])
    expect(other.text).toContain('application/json or application/x-ndjson or application/toml')
    expect((await post('/echo', '{"n":1}', type('application/x-ndjson'))).status).toBe(415)
  })

  test('of lines is refused by the line that is wrong, and whole', async () => {
    await start()
    const wrong: readonly (readonly [string, number, string])[] = [
      ['{"n":1}\n\n{"n":2}\n', 400, 'in item 1'],
      ['{"n":1}\n{"n":', 400, 'malformed-json'],
      ['{"n":1}\n{"n":"x"}', 422, '/1/n'],
      ['{"n":1}\n{"n":1, "x":"\\u0000"}', 422, '/1/x'],
      ['{"n":1}\n'.repeat(4), 422, 'at most 3 items'],
      [`{"n":1,"x":"${'x'.repeat(100)}"}`, 413, 'bytes in one item'],
    ]
    for (const [body, status, detail] of wrong) {
      const answer = await post('/kinds', body, type('application/x-ndjson'))
      expect([body, answer.status, answer.text]).toEqual([body, status, expect.stringContaining(detail)])
    }
  })

  test('of text is UTF-8 without U+0000', async () => {
    await start()
    const nul = await post('/kinds', 'a\0', type('application/toml'))
    expect([nul.status, nul.text]).toEqual([422, expect.stringContaining('U+0000')])
    const latin = await post('/kinds', new Uint8Array([0x61, 0xff]), type('application/toml'))
    expect([latin.status, latin.text]).toEqual([400, expect.stringContaining('malformed-request')])
  })

  test('may be compressed where its route says so, and counts by what it unfolds to', async () => {
    const budget = await start()
    for (const coding of ['gzip', 'x-gzip', ' GZIP ']) {
      const answer = await post('/kinds', gzip('[{"n":7}]'), { ...GZIP, 'Content-Encoding': coding })
      expect([coding, answer.status, answer.text]).toEqual([coding, 200, '[{"n":7}]'])
    }
    expect((await post('/kinds', '[{"n":7}]', { ...GZIP, 'Content-Encoding': 'identity' })).status).toBe(200)
    const parts = new Uint8Array([...gzip('[{"n"'), ...gzip(':7}]')])
    expect((await post('/kinds', parts, GZIP)).text).toBe('[{"n":7}]')
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('that unfolds to more than the limit is stopped there, and its bytes are given back', async () => {
    const budget = await start()
    const bomb = gzip(new Uint8Array(60 * KIB * KIB))
    expect(bomb.length).toBeLessThan(64 * KIB)
    const answer = await post('/kinds', bomb, GZIP)
    expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('larger than 65536 bytes')])
    expect((await post('/kinds', gzip(json(64 * KIB + 1)), GZIP)).status).toBe(413)
    // Empty members unfold to nothing: what is sent is counted, too.
    const empty = gzip('')
    const nothing = new Blob(Array.from({ length: 4_000 }, () => empty)).stream()
    const stream = await fetch(`${world.server.url}/kinds`, {
      ...{ method: 'POST', headers: GZIP, body: nothing, duplex: 'half' },
    })
    expect([stream.status, await stream.text()]).toEqual([413, expect.stringContaining('larger than 65536 bytes')])
    await eventually(() => expect(budget.held()).toBe(0))
    expect((await post('/kinds', gzip(json(64 * KIB)), GZIP)).status).toBe(200)
  })

  test('that is no gzip, or half of one, is malformed', async () => {
    const budget = await start()
    const whole = gzip('[{"n":7}]')
    const damaged = new Uint8Array([...whole.subarray(0, -8), 0, 0, 0, 0, 0, 0, 0, 0])
    for (const body of [new TextEncoder().encode('[]'), whole.subarray(0, -3), damaged, new Uint8Array()]) {
      const answer = await post('/kinds', body, GZIP)
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('gzip')])
    }
    await eventually(() => expect(budget.held()).toBe(0))
  })

  test('whose sender leaves while it is inflated gives its bytes back', async () => {
    const budget = await start()
    const whole = gzip(Buffer.from(Array.from({ length: 40 * KIB }, () => Math.random() * 256)))
    const headers = `Content-Encoding: gzip\r\nContent-Length: ${whole.length}`
    const socket = await world.open(`POST /kinds HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`)
    socket.write(whole.subarray(0, 30 * KIB))
    await eventually(() => expect(budget.held()).toBeGreaterThan(16 * KIB))
    socket.destroy()
    await eventually(() => expect(budget.held()).toBe(0))
    await eventually(() => expect(world.inFlight()).toBe(0))
  })

  test('in a coding that its route does not know is refused, with the ones it knows', async () => {
    await start()
    for (const [path, coding, known] of [
      ['/echo', 'gzip', 'identity'],
      ['/kinds', 'br', 'gzip, identity'],
      ['/kinds', 'gzip, gzip', 'gzip, identity'],
    ] as const) {
      const answer = await post(path, gzip('[]'), { ...GZIP, 'Content-Encoding': coding })
      expect([path, answer.status, answer.headers.get('accept-encoding')]).toEqual([path, 415, known])
      expect(answer.text).toContain('unsupported-media-type')
    }
  })
})
