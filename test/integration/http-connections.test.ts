import { once } from 'node:events'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { startHttpWorld } from '../support/http-world.js'

const { server, metrics, lines, requestLine, held, open, exchange } = await startHttpWorld()
afterAll(() => server.drain(100))
beforeEach(() => {
  lines.length = 0
})

describe('a connection', () => {
  test('that sends requests and then rubbish gets the answers first, and then one problem', async () => {
    const received = exchange(
      'GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /ok HTTP/1.1\r\nHost: a\r\n\r\nRUBBISH\r\n\r\nMORE\r\n\r\n',
    )
    await eventually(() => expect(held).toHaveLength(1))
    for (const release of held.splice(0)) release()
    const statuses = (await received).match(/HTTP\/1\.1 \d+/g)
    expect(statuses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
    expect(await received).toMatch(/held[\s\S]*ok[\s\S]*malformed-request/)
  })

  test('that sends rubbish after its answer gets a problem', async () => {
    const socket = await open('GET /ok HTTP/1.1\r\nHost: a\r\n\r\n')
    let received = ''
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
    await eventually(() => expect(received).toContain('\r\n\r\nok'))
    socket.write('RUBBISH\r\n\r\n')
    await once(socket, 'close')
    expect(received).toContain('HTTP/1.1 400 Bad Request')
    expect(received).toContain('application/problem+json')
  })

  test('that is cut in the middle of a body leaves nothing behind but a line in the log', async () => {
    const socket = await open(
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
    )
    await eventually(async () => expect((await metrics.expose()).text).toContain('llmring_http'))
    socket.destroy()
    await eventually(() => expect(requestLine('/echo')?.fields).toMatchObject({ status: 499 }))
  })

  test('that is cut while requests wait on it for their turn leaves none of them under way', async () => {
    const other = await startHttpWorld()
    const socket = await other.open('GET /held HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(30))
    await eventually(() => expect(other.inFlight()).toBe(30))
    socket.destroy()
    await eventually(() => expect(other.inFlight()).toBe(0))
    for (const release of other.held.splice(0)) release()
    expect(other.inFlight()).toBe(0)
    await other.server.drain(100)
  })

  const CHUNKED =
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'

  test('whose body is not well-formed gets one problem, and the handler never sees the body', async () => {
    const received = await exchange(`${CHUNKED}5\r\n{"a":\r\nxyz\r\n`)
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    await eventually(() => expect(requestLine('/echo')).toBeDefined())
    expect(received).toContain(`"request_id":"${requestLine('/echo')?.fields['request_id']}"`)
  })

  test('whose second body is not well-formed, while the first answer is due, is closed without another answer', async () => {
    const received = exchange(`GET /held HTTP/1.1\r\nHost: a\r\n\r\n${CHUNKED}xyz\r\n`)
    await eventually(() => expect(held).toHaveLength(1))
    expect(await received).toBe('')
    for (const release of held.splice(0)) release()
  })

  test('is drained: what is under way is answered, then nobody is let in', async () => {
    const other = await startHttpWorld()
    const answer = other.get('/held')
    await eventually(() => expect(other.held).toHaveLength(1))
    const drained = other.server.drain(60_000)
    await expect(other.get('/ok')).rejects.toThrow()
    for (const release of other.held) release()
    expect(await (await answer).text()).toBe('held')
    await drained
  })

  test('is told by the last response before a drain closes it, so that nothing more is sent on it', async () => {
    const other = await startHttpWorld()
    const later = await other.open('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
    const early = await other.open('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n')
    const received = [later, early].map(async (socket) => {
      let text = ''
      for await (const data of socket) text += String(data)
      return text
    })
    await eventually(() => expect(other.held).toHaveLength(1))
    const drained = other.server.drain(60_000)
    early.write('Content-Type: application/json\r\n\r\n""')
    for (const release of other.held) release()
    for (const text of await Promise.all(received))
      expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n/i)
    await drained
  })

  test('that does not come to an end is cut when the drain has lasted long enough', async () => {
    const other = await startHttpWorld()
    const cut = expect(other.get('/held')).rejects.toThrow()
    await eventually(() => expect(other.held).toHaveLength(1))
    await other.server.drain(10)
    await cut
  })
})
