import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import {
  type EventStream,
  openEventStream,
  renderComment,
  renderEvent,
  type StreamEvent,
  toEventBytes,
} from '../../src/http/stream/event-stream.js'
import { eventually } from '../support/eventually.js'
import { type HttpWorld, startHttpWorld } from '../support/http-world.js'

const sendOn = (stream: EventStream, event: StreamEvent) => stream.sendBytes(toEventBytes(renderEvent(event)))

describe('the text of an event', () => {
  test('has a line for each member, and one for each line of its data', () => {
    expect(renderEvent({ data: '{"a":1}' })).toBe('data: {"a":1}\n\n')
    expect(renderEvent({ event: 'delta', id: '17', data: 'a\nb\r\nc\rd\n' })).toBe(
      'event: delta\nid: 17\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n',
    )
    expect(renderComment('still here\ndata: no event')).toBe(': still here\n: data: no event\n\n')
  })

  test.each(['1\ndata: forged', '1\r', '1\0'])(
    'takes no name and no id that would be more than its line: %j',
    (text) => {
      for (const event of [
        { id: text, data: '' },
        { event: text, data: '' },
      ]) {
        expect(() => renderEvent(event)).toThrow(/one line/)
      }
    },
  )
})

// Before the others: a timer of theirs, of another clock, may be taken for one of these.
describe('the heartbeat of a stream', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A stream on a connection whose peer takes what it is sent, or none of it. */
  function attached(onEnd: () => void, takesAll: boolean) {
    let sent = ''
    const connection = new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, taken) => {
        sent += String(chunk)
        if (takesAll) taken()
      },
    })
    const incoming = Object.assign(new IncomingMessage(new Socket()), { httpVersionMajor: 1, httpVersionMinor: 1 })
    const outgoing = new ServerResponse(incoming)
    outgoing.assignSocket(connection as Socket)
    const leave = new AbortController()
    const draining = new AbortController().signal
    const stream = openEventStream({ signal: leave.signal, draining, retryMs: 5, onEnd })
    stream.attach(outgoing)
    return { stream, leave, outgoing, sent: () => sent }
  }

  test('is a comment, as long as the stream is open', async () => {
    const { stream, leave, sent } = attached(() => undefined, true)
    expect(sent()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\na\r\nretry: 5\n\n\r\n$/s)
    for (let beat = 1; beat < 4; beat++) {
      await vi.advanceTimersByTimeAsync(HTTP_LIMITS.heartbeatMs)
      expect(sent().match(/4\r\n: \n\n\r\n/g)).toHaveLength(beat)
    }
    leave.abort()
    expect(sendOn(stream, { data: 'late' })).toBe(false)
    expect(sent()).toMatch(/\n\n\r\n0\r\n\r\n$/)
  })

  test('cuts a reader that does not take it', async () => {
    const ended = vi.fn()
    const { stream, outgoing } = attached(ended, false)
    expect(sendOn(stream, { data: 'x'.repeat(1_000_000) })).toBe(true)
    expect([stream.isTaken(), ended.mock.calls.length]).toEqual([false, 0])
    await vi.advanceTimersByTimeAsync(HTTP_LIMITS.heartbeatMs)
    expect(ended).toHaveBeenCalledExactlyOnceWith(true)
    expect(outgoing.destroyed).toBe(true)
  })

  test('tells who waits for the reader when it has taken all, or never will', async () => {
    const [taken, never] = [vi.fn(), vi.fn()]
    const quick = attached(() => undefined, true)
    quick.stream.whenTaken(taken)
    expect(taken).toHaveBeenCalledOnce()
    const { stream } = attached(() => undefined, false)
    sendOn(stream, { data: 'x'.repeat(1_000_000) })
    stream.whenTaken(never)
    expect(never).not.toHaveBeenCalled()
    stream.cut()
    expect(never).toHaveBeenCalledOnce()
  })
})

describe('a stream of events', () => {
  let world: HttpWorld
  let received: string
  beforeEach(async () => {
    world = await startHttpWorld()
    received = ''
  })
  afterEach(() => world.server.drain(100))

  /** A reader that has seen the stream begin; it reads on unless it is told not to. */
  async function open(): Promise<Socket> {
    const socket = await world.open('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
    socket.on('data', (data) => {
      received += String(data)
    })
    socket.on('error', () => undefined)
    await eventually(() => expect(received).toContain('retry: 1234\n\n'))
    return socket
  }
  const stream = () => world.streams[0] as (typeof world.streams)[0]

  test('reaches its reader event by event, and ends with it', async () => {
    const socket = await open()
    expect(received).toMatch(/^HTTP\/1\.1 200 .*\r\nContent-Type: text\/event-stream\r\n/is)
    expect(sendOn(stream(), { event: 'delta', id: '1', data: 'one' })).toBe(true)
    await eventually(() => expect(received).toContain('event: delta\nid: 1\ndata: one\n\n'))
    socket.destroy()
    await eventually(() => expect(world.ended()).toBe(1))
    expect(sendOn(stream(), { data: 'two' })).toBe(false)
    expect(world.ended()).toBe(1)
  })

  test('shows the head alone to a request for that', async () => {
    const answer = await world.exchange('HEAD /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*text\/event-stream\r\n.*\r\n\r\n$/s)
    expect(world.ended()).toBe(1)
  })

  test('comes without chunks to a reader of HTTP/1.0, and ends with the connection', async () => {
    const socket = await world.open('GET /events HTTP/1.0\r\n\r\n')
    const closed = once(socket, 'close')
    socket.on('data', (data) => {
      received += String(data)
    })
    await eventually(() => expect(received).toMatch(/\r\n\r\nretry: 1234\n\n$/))
    sendOn(stream(), { id: '1', data: 'one' })
    stream().end()
    await closed
    expect(received).toMatch(/\r\n\r\nretry: 1234\n\nid: 1\ndata: one\n\n$/)
  })

  test('takes a burst of small events, and one of any size', async () => {
    await open()
    for (let index = 0; index < 20; index++) expect(sendOn(stream(), { id: String(index), data: 'x' })).toBe(true)
    await eventually(() => expect(received).toContain('id: 19\n'))
    expect(sendOn(stream(), { id: 'large', data: 'y'.repeat(3_000_000) })).toBe(true)
    await eventually(() => expect(received.length).toBeGreaterThan(3_000_000))
    expect(sendOn(stream(), { id: 'next', data: 'z' })).toBe(true)
    await eventually(() => expect(received).toContain('id: next\n'))
  })

  test('cuts a reader that has not taken what it was sent, instead of holding more for it', async () => {
    const socket = await open()
    socket.pause()
    let sent = 0
    await eventually(() => {
      for (let more = true; more; sent++) more = sendOn(stream(), { data: 'x'.repeat(4_000_000) })
      expect(world.ended()).toBe(1)
    })
    expect(sent).toBeLessThan(10)
    await eventually(() => expect(world.inFlight()).toBe(0))
    socket.resume()
    if (!socket.closed) await once(socket, 'close')
    expect(received.match(/data: /g)?.length ?? 0).toBeLessThan(sent)
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
  })

  test('says its last words when the service drains, and its connection is closed', async () => {
    const socket = await open()
    world.startDraining()
    const drained = world.server.drain(60_000)
    await once(socket, 'close')
    await drained
    expect(received).toMatch(/: draining\n\nretry: 1234\n\n\r\n0\r\n\r\n$/)
    expect(world.ended()).toBe(1)
  })

  test('that is opened while the service drains has only its last words', async () => {
    world.startDraining()
    const answer = await world.get('/events')
    expect(await answer.text()).toBe(': draining\n\nretry: 1234\n\n')
  })

  test('whose reader takes nothing is cut at the limit of the drain', async () => {
    const socket = await open()
    socket.pause()
    sendOn(stream(), { data: 'x'.repeat(16_000_000) })
    world.startDraining()
    await world.server.drain(200)
    await eventually(() => expect([world.ended(), world.server.connections()]).toEqual([1, 0]))
    socket.destroy()
  })
})
