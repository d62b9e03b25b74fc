import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Agent } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'
import { type EndedBy, Receiving } from '../../src/features/gateway/serve/receive-answer.js'
import { createStop } from '../../src/platform/stop.js'
import { eventually } from '../support/eventually.js'

const PIECE = 'x'.repeat(16_384)
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Asks a server that answers so. */
async function ask(answer: RequestListener, idleMsMax = 60_000) {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  closing.push(
    () => agent.destroy(),
    async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  )
  const stop = createStop<EndedBy>()
  const receiving = new Receiving(idleMsMax, stop)
  const { port } = server.address() as AddressInfo
  agent.dispatch({ method: 'POST', origin: `http://127.0.0.1:${port}`, path: '/', body: '{}' }, receiving)
  return { stop, receiving }
}

async function readAll(receiving: Receiving): Promise<string> {
  let text = ''
  for (let piece = await receiving.next(); piece !== null; piece = await receiving.next()) text += String(piece)
  return text
}

describe('an answer', () => {
  test('has a head, and then its pieces up to the end, which stays the end', async () => {
    const { receiving } = await ask((_, outgoing) => outgoing.writeHead(201, { 'x-name': 'value' }).end('whole'))
    expect(await receiving.head).toMatchObject({ status: 201, headers: { 'x-name': 'value' } })
    expect(await readAll(receiving)).toBe('whole')
    expect(await receiving.next()).toBeNull()
  })

  test('is announced by others, which are not its head', async () => {
    const { receiving } = await ask((_, outgoing) => {
      outgoing.writeEarlyHints({ link: '</x>; rel=preload' })
      outgoing.writeHead(200).end('late')
    })
    expect(await receiving.head).toMatchObject({ status: 200 })
  })

  test('that is not read stays where it is, and comes whole once it is', async () => {
    const pieces = 400
    let taken = 0
    const { receiving } = await ask(async (_, outgoing) => {
      for (; taken < pieces; taken += 1) {
        if (!outgoing.write(PIECE)) await new Promise((resolve) => outgoing.once('drain', resolve))
      }
      outgoing.end()
    })
    await receiving.head
    let before = -1
    await eventually(async () => {
      const still = taken === before
      before = taken
      for (let turns = 0; turns < 50; turns += 1) await turn()
      expect(still).toBe(true)
    })
    expect(taken).toBeLessThan(pieces)
    expect(GATEWAY_LIMITS.aheadBytesMax).toBeLessThan(pieces * PIECE.length)
    expect((await readAll(receiving)).length).toBe(pieces * PIECE.length)
  })

  test('is not copied again and again while it is read more slowly than it comes', async () => {
    const piece = 'y'.repeat(200)
    const pieces = 6_000
    const { receiving } = await ask(async (_, outgoing) => {
      for (let sent = 0; sent < pieces; sent += 1) {
        if (!outgoing.write(piece)) await new Promise((resolve) => outgoing.once('drain', resolve))
      }
      outgoing.end()
    })
    await receiving.head
    // A piece is a view of the bytes that came together, and keeps all of them.
    const held = new Set<ArrayBufferLike>()
    let bytes = 0
    for (let next = await receiving.next(); next !== null; next = await receiving.next()) {
      held.add(next.buffer)
      bytes += next.length
      await turn()
    }
    expect(bytes).toBe(pieces * piece.length)
    const heldBytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(heldBytes).toBeLessThan(4 * bytes)
  })

  test('that comes a byte at a time is not a thing for each byte', async () => {
    const chunks = 100_000
    const { receiving } = await ask((_, outgoing) => {
      outgoing.writeHead(200).flushHeaders()
      outgoing.socket?.end(`${'1\r\ny\r\n'.repeat(chunks)}0\r\n\r\n`)
    })
    await receiving.head
    let pieces = 0
    let bytes = 0
    for (let next = await receiving.next(); next !== null; next = await receiving.next()) {
      pieces += 1
      bytes += next.length
    }
    expect(bytes).toBe(chunks)
    expect(pieces).toBeLessThan(chunks / 10)
  })

  test('that breaks off gives what came, and then says so', async () => {
    const { receiving } = await ask((_, outgoing) => {
      outgoing.writeHead(200)
      outgoing.write('a part', () => outgoing.destroy())
    })
    await receiving.head
    expect(String(await receiving.next())).toBe('a part')
    await expect(receiving.next()).rejects.toMatchObject({ outcome: { kind: 'cut' } })
    await expect(receiving.next()).rejects.toMatchObject({ outcome: { kind: 'cut' } })
  })

  test('that stands still is not waited for', async () => {
    const { receiving } = await ask((_, outgoing) => void outgoing.writeHead(200).write('a part'), 50)
    await receiving.head
    expect(String(await receiving.next())).toBe('a part')
    await expect(receiving.next()).rejects.toMatchObject({ outcome: { kind: 'timeout' } })
  })

  test('that never begins has no head', async () => {
    const { receiving } = await ask((incoming) => void incoming.socket.destroy())
    await expect(receiving.head).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })
})

describe('a call that ends', () => {
  test.each(['cancelled', 'out-of-time'] as const)('ends its answer: %s', async (why) => {
    let isGone = false
    const { receiving, stop } = await ask((_, outgoing) => {
      outgoing.writeHead(200).write('a part')
      outgoing.once('close', () => {
        isGone = true
      })
    })
    await receiving.head
    await receiving.next()
    const next = receiving.next()
    stop.stop(why)
    await expect(next).rejects.toMatchObject({ outcome: { kind: why } })
    await eventually(async () => expect(isGone).toBe(true))
  })

  test('ends one that has no head yet', async () => {
    const { receiving, stop } = await ask(() => undefined)
    stop.stop('cancelled')
    await expect(receiving.head).rejects.toThrow('not waited for')
  })

  test('says nothing once its answer is whole', async () => {
    const { receiving, stop } = await ask((_, outgoing) => outgoing.writeHead(200).end('whole'))
    await receiving.head
    expect(await readAll(receiving)).toBe('whole')
    stop.stop('cancelled')
    receiving.abort()
    expect(await receiving.next()).toBeNull()
  })
})
