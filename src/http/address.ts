import type { IncomingMessage } from 'node:http'

/**
 * The client's address. With `trustedProxies` proxies of ours in front, each appended one entry to `X-Forwarded-For`:
 * the client is the entry that the outermost of them wrote. Everything left of it could be the client's invention.
 */
export function clientAddress(incoming: IncomingMessage, trustedProxies: number): string {
  const peer = incoming.socket.remoteAddress ?? ''
  if (trustedProxies === 0) return peer
  const forwarded = incoming.headers['x-forwarded-for']
  const entries = (typeof forwarded === 'string' ? forwarded : '').split(',').map((entry) => entry.trim())
  const entry = entries[entries.length - trustedProxies] ?? entries[0]
  return entry === undefined || entry === '' || entry.length > 64 ? peer : entry
}
