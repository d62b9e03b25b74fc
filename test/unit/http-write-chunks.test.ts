import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ResponseCut } from '../../src/http/stream/stream.js'
import { writeChunks } from '../../src/http/stream/write-chunks.js'
import { eventually } from '../support/eventually.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** What a reader gets of these chunks, read only when it is told to. */
async function send(chunks: AsyncGenerator<string>) {
  let response: ServerResponse | undefined
  const server = createServer((_, outgoing) => {
    response = outgoing
    outgoing.writeHead(200)
    void writeChunks(outgoing, chunks)
  })
  server.on('clientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let received = ''
  closing.push(
    () => socket.destroy(),
    server.close.bind(server),
    () => server.closeAllConnections(),
  )
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  return {
    socket,
    read: () => void socket.on('data', (data) => (received += String(data))),
    received: () => received,
    response: () => response,
  }
}

describe('chunks', () => {
  test('arrive in their order, up to the end of the transfer', async () => {
    async function* three() {
      yield 'one '
      yield 'two '
      yield 'three'
    }
    const { read, received } = await send(three())
    read()
    await eventually(async () => expect(received()).toMatch(/0\r\n\r\n$/))
    expect(received().replace(/\r\n[0-9a-f]+\r\n/g, '')).toContain('one two three')
  })

  test('wait for a slow reader, and end when it leaves', async () => {
    let made = 0
    let isOver = false
    async function* endless() {
      try {
        for (;;) {
          made += 1
          yield 'x'.repeat(65_536)
        }
      } finally {
        isOver = true
      }
    }
    const { socket, response } = await send(endless())
    await eventually(async () => expect(response()?.writableNeedDrain).toBe(true))
    const before = made
    await new Promise((resolve) => setImmediate(resolve))
    expect(made).toBe(before)
    socket.destroy()
    await eventually(async () => expect(isOver).toBe(true))
  })

  test('end when their reader leaves while the next one is waited for', async () => {
    let isOver = false
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    async function* waiting() {
      try {
        yield 'first'
        await released
        yield 'second'
      } finally {
        isOver = true
      }
    }
    const { socket, read, received, response } = await send(waiting())
    read()
    await eventually(async () => expect(received()).toContain('first'))
    socket.destroy()
    await eventually(async () => expect(response()?.destroyed).toBe(true))
    release()
    await eventually(async () => expect(isOver).toBe(true))
  })

  test('that fail cut the connection, and the reason is kept', async () => {
    async function* failing() {
      yield 'a part'
      await new Promise((resolve) => setImmediate(resolve))
      throw new Error('the reason')
    }
    const { socket, read, received, response } = await send(failing())
    read()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(received()).toContain('a part')
    expect(received()).not.toMatch(/0\r\n\r\n$/)
    const cut = response()?.errored
    expect(cut instanceof ResponseCut && cut.reason()).toMatchObject({ message: 'the reason' })
  })
})
