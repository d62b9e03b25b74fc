import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createResolveHost, NOT_PUBLIC } from '../../src/features/webhooks/resolve-host.js'
import { createSend, type Send } from '../../src/features/webhooks/send-delivery.js'
import { type Receiver, startReceiver } from '../support/webhook-receiver.js'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})
async function receiver(): Promise<Receiver> {
  const started = await startReceiver()
  open.push(started)
  return started
}

/** Every name has these addresses, in turn: one for each look-up. */
function sendTo(privateAllowed: boolean, addresses: readonly string[], msMax?: number): Send {
  let asked = 0
  const lookUp = async () => [{ address: addresses[asked++ % addresses.length] ?? '', family: 4 }]
  return createSend(createResolveHost(privateAllowed, lookUp), msMax)
}
const post = (url: string) => ({
  url,
  headers: { 'X-Test': 'yes' },
  body: '{"é":1}',
  signal: new AbortController().signal,
})
const portOf = ({ url }: Receiver) => new URL(url).port

/** A server that does on a connection what it is told to. */
async function raw(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe('an attempt', () => {
  it('connects to the address that was looked up and checked, under the name that was set', async () => {
    const hook = await receiver()
    const result = await sendTo(true, ['127.0.0.1'])(post(`http://there-is-no-such-name.invalid:${portOf(hook)}/hook`))
    expect(result).toMatchObject({ status: 204 })
    const [one] = hook.received
    expect(one?.headers).toMatchObject({ host: `there-is-no-such-name.invalid:${portOf(hook)}`, 'x-test': 'yes' })
    expect(one?.body).toBe('{"é":1}')
  })

  it('asks for the address each time, and connects to none that has become private', async () => {
    const hook = await receiver()
    const send = sendTo(false, ['127.0.0.1'])
    const refused = { status: null, reason: NOT_PUBLIC }
    expect(await send(post(`http://rebound.invalid:${portOf(hook)}/`))).toEqual(refused)
    expect(await send(post(`http://127.0.0.1:${portOf(hook)}/`))).toEqual(refused)
    expect(await send(post(`http://[::ffff:127.0.0.1]:${portOf(hook)}/`))).toEqual(refused)
    expect(hook.received).toEqual([])
  })

  it('follows no redirect', async () => {
    const hook = await receiver()
    hook.answer((response) => void response.writeHead(307, { Location: hook.url }).end())
    expect(await sendTo(true, ['127.0.0.1'])(post(hook.url))).toMatchObject({ status: 307 })
    expect(hook.received.length).toBe(1)
  })

  it('reads no more than a little of the response, and lets go of the connection', async () => {
    let isClosed = false
    const url = await raw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        const more = () => {
          while (!isClosed && socket.write(Buffer.alloc(65_536)));
        }
        socket.on('drain', more)
        more()
      })
      socket.once('close', () => {
        isClosed = true
      })
    })
    // Not because its time is over.
    expect(await sendTo(true, ['127.0.0.1'], 600_000)(post(url))).toMatchObject({ status: 200 })
    await expect.poll(() => isClosed).toBe(true)
  })

  it.each<[string, (socket: Socket) => void, object]>([
    ['that never answers', () => undefined, { status: null, reason: 'it did not answer within 0.3 s' }],
    ['that drips a header', (socket) => void drip(socket, 'HTTP/1.1 200 OK\r\nX: '), { status: null }],
    ['that drips a body', (socket) => void drip(socket, 'HTTP/1.1 200 OK\r\n\r\n'), { status: 200 }],
    ['that breaks off', (socket) => void socket.once('data', () => socket.destroy()), { status: null }],
    [
      'that resets',
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
      { status: null, reason: 'it could not be reached or broke off (ECONNRESET)' },
    ],
    ['that speaks no HTTP', (socket) => void socket.write('220 smtp.invalid ESMTP\r\n'), { status: null }],
    [
      'that wants another protocol',
      (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      { status: null },
    ],
    [
      'with a head that is too large',
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(40)}\r\n`),
      { status: null },
    ],
  ])('at a receiver %s comes to its end', async (_what, serve, expected) => {
    const url = await raw(serve)
    expect(await sendTo(true, ['127.0.0.1'], 300)(post(url))).toMatchObject(expected)
  })

  it('ends where no receiver is, and where the look-up does not', async () => {
    const refusing = await sendTo(true, ['127.0.0.1'])(post('http://127.0.0.1:9/'))
    expect(refusing).toEqual({ status: null, reason: 'it could not be reached or broke off (ECONNREFUSED)' })
    const silent = createSend(
      createResolveHost(true, () => new Promise(() => undefined)),
      100,
    )
    expect(await silent(post('http://silent.invalid/'))).toEqual({
      status: null,
      reason: 'it did not answer within 0.1 s',
    })
    expect(await silent(post('no URL'))).toEqual({ status: null, reason: 'its URL cannot be used' })
  })

  it('can be broken off', async () => {
    const hook = await receiver()
    hook.answer(() => undefined)
    const controller = new AbortController()
    const sending = sendTo(true, ['127.0.0.1'])({ ...post(hook.url), signal: controller.signal })
    await hook.until(1)
    controller.abort()
    expect(await sending).toMatchObject({ status: null })
    await expect.poll(() => hook.open().now).toBe(0)
  })
})

function drip(socket: Socket, head: string): void {
  socket.write(head)
  const timer = setInterval(() => socket.write('x'), 20)
  socket.once('close', () => clearInterval(timer))
}
