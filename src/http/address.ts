import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

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

/**
 * Whom a limit counts: an IPv4 address, or the /64 of an IPv6 address (the least that one subscriber gets, RFC 6177).
 * An IPv4-mapped address is the IPv4 address. Ports, brackets and zones, which some proxies write, are left out; what
 * is no address stands for itself.
 */
export function networkOf(address: string): string {
  const host = withoutPort(address)
  if (isIP(host) !== 6) return host
  const groups = groupsOf(host)
  const [g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0, g7 = 0] = groups
  const mapped = g0 === 0 && g1 === 0 && g2 === 0 && g3 === 0 && g4 === 0 && g5 === 0xffff
  if (mapped) return [g6 >> 8, g6 & 0xff, g7 >> 8, g7 & 0xff].join('.')
  return `${[g0, g1, g2, g3].map((group) => group.toString(16)).join(':')}::/64`
}

const WRITTEN = /^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/

function withoutPort(address: string): string {
  if (!address.includes(':')) return address
  const found = WRITTEN.exec(address)
  const host = found?.[1] ?? found?.[2] ?? address
  const zone = host.indexOf('%')
  return zone === -1 ? host : host.slice(0, zone)
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const left = groupsIn(head)
  if (tail === undefined) return left
  const right = groupsIn(tail)
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function groupsIn(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
    return [a * 256 + b, c * 256 + d]
  })
}
