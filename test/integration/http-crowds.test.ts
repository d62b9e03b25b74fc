import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { listen, type ServerLimits } from '../../src/http/listen/server.js'
import type { WarmLane } from '../../src/http/listen/warm-lane.js'
import { eventually } from '../support/eventually.js'
import { type HttpWorld, LARGE, startHttpWorld } from '../support/http-world.js'

const GET_OK = 'GET /ok HTTP/1.1\r\nHost: a\r\n\r\n'
const GET_HELD = 'GET /held HTTP/1.1\r\nHost: a\r\n\r\n'
const OTHER_ADDRESS = '127.0.0.2'

let world: HttpWorld
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await world.server.drain(100)
})

async function start(limits: Partial<ServerLimits>, lane?: WarmLane): Promise<void> {
  world = await startHttpWorld({ limits, ...(lane === undefined ? {} : { lane }) })
}

/** A connection that sent this; it is left open, and does not close when its peer does. */
async function open(text: string, address?: string): Promise<Socket> {
  const socket = await world.open(text, address)
  socket.on('error', () => undefined)
  sockets.push(socket)
  return socket
}

async function openMany(count: number, text: string): Promise<Socket[]> {
  const opened: Socket[] = []
  for (let index = 0; index < count; index++) opened.push(await open(text))
  return opened
}

/** The first thing that comes back, or '' where the connection is closed without a word. */
async function answerOn(socket: Socket): Promise<string> {
  const [data] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])])
  return String(data)
}

const areOpen = (count: number) => eventually(() => expect(world.server.connections()).toBe(count))

describe('connections that say nothing', () => {
  test('are closed without a word, whether their peers close them or not', async () => {
    await start({ headersMsMax: 100, requestMsMax: 200, checkMs: 20 })
    // Asked for at once: on a busy machine the first ones are closed before the last ones are open.
    const received: Promise<string>[] = []
    for (let index = 0; index < 20; index++) received.push(answerOn(await open('')))
    expect(new Set(await Promise.all(received))).toEqual(new Set(['']))
    await areOpen(0)
  })

  test('in the middle of a head are told so, and then closed', async () => {
    await start({ headersMsMax: 100, requestMsMax: 200, checkMs: 20, lingerMsMax: 50 })
    const socket = await open('GET /ok HTTP/1.1\r\nHost: ')
    // It never reads, so it never learns that its peer has ended.
    socket.pause()
    await areOpen(0)
    socket.resume()
    const answer = await answerOn(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(answer).toContain('"code":"request-timeout"')
  })

  test('that were refused are closed though their peers never answer', async () => {
    await start({ lingerMsMax: 50 })
    const socket = await open('RUBBISH\r\n\r\n')
    socket.pause()
    await areOpen(0)
  })

  test('and take nothing of what is sent end what is sent to them', async () => {
    await start({ idleMsMax: 200 })
    const socket = await open('GET /numbers HTTP/1.1\r\nHost: a\r\n\r\n')
    socket.pause()
    await eventually(() => expect(world.ended()).toBe(1))
    await areOpen(0)
  })

  test('do not hold up a drain', async () => {
    await start({})
    await openMany(3, '')
    await areOpen(3)
    await world.server.drain(600_000)
  })
})

describe('one address that holds as many connections as it may', () => {
  test('does not keep others out, though all of its requests are under way', async () => {
    await start({ connectionsPerAddressMax: 5 })
    await openMany(5, GET_HELD)
    await eventually(() => expect(world.held).toHaveLength(5))
    expect(await answerOn(await open(GET_OK))).toBe('')
    expect(await answerOn(await open(GET_OK, OTHER_ADDRESS))).toMatch(/^HTTP\/1\.1 200/)
    for (const release of world.held.splice(0)) release()
  })

  test('does not keep itself out: what is idle longest makes room', async () => {
    await start({ connectionsPerAddressMax: 5 })
    const [first, ...silent] = await openMany(5, '')
    first?.write(GET_OK)
    if (first !== undefined) await answerOn(first)
    const gone = once(silent[0] as Socket, 'close')
    expect(await answerOn(await open(GET_OK))).toMatch(/^HTTP\/1\.1 200/)
    await gone
    expect(world.server.connections()).toBe(5)
    first?.write(GET_OK)
    if (first !== undefined) expect(await answerOn(first)).toMatch(/^HTTP\/1\.1 200/)
  })

  test('is counted anew when connections close', async () => {
    await start({ connectionsPerAddressMax: 2 })
    for (let round = 0; round < 5; round++) {
      const [one, other] = await openMany(2, GET_HELD)
      await eventually(() => expect(world.held).toHaveLength(2))
      one?.destroy()
      other?.destroy()
      await areOpen(0)
      for (const release of world.held.splice(0)) release()
    }
  })
})

describe('all addresses together', () => {
  test('hold no more than there may be, and a silent one makes room for one that asks', async () => {
    await start({ connectionsMax: 4 })
    await openMany(4, '')
    expect(await answerOn(await open(GET_OK, OTHER_ADDRESS))).toMatch(/^HTTP\/1\.1 200/)
    expect(world.server.connections()).toBe(4)
  })

  test('are refused where every connection is busy', async () => {
    await start({ connectionsMax: 2 })
    await openMany(2, GET_HELD)
    await eventually(() => expect(world.held).toHaveLength(2))
    expect(await answerOn(await open(GET_OK, OTHER_ADDRESS))).toBe('')
    for (const release of world.held.splice(0)) release()
  })
})

describe('requests under way', () => {
  const pipeline = (count: number) => GET_HELD.repeat(count)
  const perAddress = HTTP_LIMITS.requestsInFlightPerAddressMax
  // One connection may have as many as an address.
  const pipelinedMax = HTTP_LIMITS.requestsInFlightMax

  test('of one address are as many as it may have, and others are served', async () => {
    await start({ pipelinedMax })
    await open(pipeline(perAddress))
    await eventually(() => expect(world.inFlight()).toBe(perAddress))
    const refused = await answerOn(await open(GET_OK))
    expect(refused).toMatch(/^HTTP\/1\.1 503 /)
    expect(refused).toMatch(/\r\nRetry-After: 1\r\n/i)
    expect(refused).toContain('"code":"overloaded"')
    expect(await answerOn(await open(GET_OK, OTHER_ADDRESS))).toMatch(/^HTTP\/1\.1 200/)
  })

  test('of all addresses are as many as there may be; when they are over, everybody is served', async () => {
    await start({ pipelinedMax })
    const busy = [await open(pipeline(perAddress)), await open(pipeline(perAddress), OTHER_ADDRESS)]
    await eventually(() => expect(world.inFlight()).toBe(HTTP_LIMITS.requestsInFlightMax))
    expect(await answerOn(await open(GET_OK, '127.0.0.3'))).toMatch(/^HTTP\/1\.1 503 /)
    for (const socket of busy) socket.destroy()
    await eventually(() => expect(world.inFlight()).toBe(0))
    expect(await answerOn(await open(GET_OK, '127.0.0.3'))).toMatch(/^HTTP\/1\.1 200/)
  })

  test('of one connection are handled one after the other: the responses that nobody reads do not pile up', async () => {
    await start({})
    const socket = await open(pipeline(3))
    await eventually(() => expect(world.inFlight()).toBe(3))
    expect(world.held).toHaveLength(1)
    world.held[0]?.()
    await eventually(() => expect(world.held).toHaveLength(2))
    expect(world.inFlight()).toBe(2)
    socket.destroy()
    await eventually(() => expect(world.inFlight()).toBe(0))
    expect(world.held).toHaveLength(2)
  })

  test('of one connection that are more than all may have end it: their refusals would wait in the memory', async () => {
    await start({ pipelinedMax })
    const socket = await open(pipeline(perAddress + 1))
    await once(socket, 'close')
    await eventually(() => expect([world.inFlight(), world.server.connections()]).toEqual([0, 0]))
    expect(await answerOn(await open(GET_OK))).toMatch(/^HTTP\/1\.1 200/)
  })

  test('are answered from memory at once, but not behind a response that is not out', async () => {
    const headers = {}
    const lane: WarmLane = {
      add: () => undefined,
      answer: ({ url }) =>
        url === '/ok' ? { route: '/ok', projectId: null, response: { status: 200, headers, body: 'warm' } } : undefined,
    }
    await start({}, lane)
    expect(await answerOn(await open(GET_OK))).toContain('warm')
    const socket = await open(GET_HELD + GET_OK)
    await eventually(() => expect(world.inFlight()).toBe(2))
    let received = ''
    socket.on('data', (data) => {
      received += String(data)
    })
    world.held[0]?.()
    await eventually(() => expect(received).toMatch(/held[\s\S]*\r\n\r\nok$/))
  })
})

describe('requests that wait on one connection for their turn', () => {
  test('are as many as there may be; the next one is refused once they are answered, and what follows is not read', async () => {
    await start({ pipelinedMax: 3 })
    const socket = await open(GET_HELD + GET_OK.repeat(500))
    await eventually(() => expect(world.held).toHaveLength(1))
    expect(world.inFlight()).toBe(4)
    let received = ''
    socket.on('data', (data) => {
      received += String(data)
    })
    world.held[0]?.()
    await once(socket, 'close')
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([...Array(4).fill('HTTP/1.1 200'), 'HTTP/1.1 503'])
    expect(received).toMatch(/\r\nRetry-After: 1\r\n[\s\S]*"code":"overloaded"/i)
  })

  test('are counted while they wait: a client that is always some ahead stays', async () => {
    await start({ pipelinedMax: 3 })
    const socket = await open(GET_HELD.repeat(3))
    for (let round = 0; round < 20; round++) {
      await eventually(() => expect(world.held).toHaveLength(round + 1))
      socket.write(GET_HELD)
      await eventually(() => expect(world.inFlight()).toBe(4))
      world.held[round]?.()
      await eventually(() => expect(world.inFlight()).toBe(3))
    }
    expect(socket.closed).toBe(false)
  })

  test('are not read any more once their connection is gone', async () => {
    let seen = 0
    const server = await listen(
      (incoming) => {
        seen += 1
        if (seen === 3) incoming.socket.destroy()
      },
      '127.0.0.1',
      0,
    )
    const socket = connect(server.port, '127.0.0.1', () => socket.write(GET_OK.repeat(500)))
    socket.on('error', () => undefined)
    await once(socket, 'close')
    await server.drain(1_000)
    expect(seen).toBe(3)
  })
})

describe('a response that its reader does not take', () => {
  const GET_LARGE = 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n'
  const openPaused = async () => (await open(GET_LARGE)).pause()
  /** The system takes what its buffers hold, which may be in several steps; then nothing of it is taken any more. */
  const hasStoodStill = async () => {
    const seen: number[] = []
    await eventually(() => {
      seen.push(world.server.unreadBytes())
      expect(new Set(seen.slice(-8))).toEqual(new Set([seen.at(-1)]))
      expect(seen.slice(-8).filter((bytes) => bytes > 0)).toHaveLength(8)
    })
  }

  test('is counted while it waits, and ends its connection after a time', async () => {
    await start({ unreadMsMax: 300, unreadCheckMs: 20 })
    await openPaused()
    await eventually(() => expect(world.server.unreadBytes()).toBeGreaterThan(0))
    await areOpen(0)
    expect(world.server.unreadBytes()).toBe(0)
    await eventually(() => expect(world.requestLine('/large')?.fields).toMatchObject({ status: 499 }))
  })

  test('stays while it is taken, however slowly', async () => {
    await start({ unreadMsMax: 1_000, unreadCheckMs: 20 })
    const socket = await openPaused()
    let bytes = 0
    socket.on('data', (data) => {
      bytes += data.length
      socket.pause()
      setTimeout(() => socket.resume(), 5)
    })
    socket.resume()
    await eventually(() => expect(bytes).toBeGreaterThan(LARGE.length), 45_000)
  })

  test('goes first if it has stood still for longest and the memory that all may hold is needed', async () => {
    await start({ unreadBytesMax: 1.1 * LARGE.length, unreadCheckMs: 20 })
    const first = await openPaused()
    await hasStoodStill()
    const second = await open(GET_LARGE)
    await once(second, 'data')
    second.pause()
    await areOpen(1)
    // Only one that reads hears that it was cut.
    first.resume()
    if (!first.closed) await once(first, 'close')
    await areOpen(1)
    expect(world.server.unreadBytes()).toBeGreaterThan(0)
  })
})

describe('a client that ends its own side after its request', () => {
  test('gets its response', async () => {
    await start({})
    const socket = await open(GET_HELD)
    await eventually(() => expect(world.held).toHaveLength(1))
    socket.end()
    world.held[0]?.()
    expect(await answerOn(socket)).toMatch(/^HTTP\/1\.1 200[\s\S]*held$/)
    await areOpen(0)
  })

  test('is not waited for while nothing goes out to it: it may be gone', async () => {
    await start({ halfClosedMsMax: 50 })
    const socket = await open(GET_HELD)
    await eventually(() => expect(world.held).toHaveLength(1))
    socket.end()
    await areOpen(0)
    expect(world.inFlight()).toBe(0)
  })
})

test('a body that drips in behind its response ends its connection, without a second response', async () => {
  await start({ headersMsMax: 100, requestMsMax: 200, checkMs: 20, lingerMsMax: 50 })
  const socket = await open('GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx')
  let received = ''
  socket.on('data', (data) => {
    received += String(data)
  })
  await once(socket, 'close')
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
})
