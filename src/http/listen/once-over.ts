import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const waiting = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back once, when a request is over: answered, or its connection gone. The response's `close` alone does not do:
 * Node never emits it on a response that still waits behind another one of its connection when that connection closes.
 */
export function onceOver(incoming: IncomingMessage, outgoing: ServerResponse, callback: () => void): void {
  const { socket } = incoming
  // Node gives a response its socket when its turn comes.
  if (outgoing.socket !== null) {
    outgoing.once('close', callback)
    return
  }
  const others = waitersOf(socket)
  const end = () => {
    if (others.delete(end)) callback()
  }
  others.add(end)
  outgoing.once('close', end)
}

/**
 * Calls back when the response of a request that is pipelined behind others is the next one of its connection; never, if
 * the connection closes before. Node hands over hundreds of such requests at once, and their responses would all wait in
 * the memory: 4,000 of 240 kB, which two addresses did not read, took 550 MB.
 */
export function inTurn(outgoing: ServerResponse, callback: () => void): void {
  if (outgoing.socket === null) outgoing.once('socket', callback)
  else callback()
}

/** What waits on a connection, under one listener: a client may pipeline hundreds of requests. */
function waitersOf(socket: Socket): Set<() => void> {
  const known = waiting.get(socket)
  if (known !== undefined) return known
  const waiters = new Set<() => void>()
  waiting.set(socket, waiters)
  socket.once('close', () => {
    for (const end of waiters) end()
  })
  return waiters
}
