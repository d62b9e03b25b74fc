import type { IncomingMessage, ServerResponse } from 'node:http'

const ALLOWED_HEADERS = [
  'X-Project-Key',
  'X-API-Key',
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'X-Change-Note',
  'Prefer',
  'Last-Event-ID',
].join(', ')
const EXPOSED_HEADERS = [
  'ETag',
  'X-Request-Id',
  'Retry-After',
  'Link',
  'X-Lock-Digest',
  'X-Receipt-Ignored',
  'X-Receipt-Legacy',
  'X-Registry-Source',
  'X-LLM-Router-Model',
  'X-LLM-Router-Provider',
  'X-LLM-Router-Attempts',
].join(', ')
const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS'
const PREFLIGHT_SECONDS = '600'

/**
 * Sets the CORS headers for an allowed origin (Fetch standard) and answers a preflight itself. Credentials are never
 * allowed: keys travel in headers. Returns whether the request is answered.
 */
export function createCors(
  origins: readonly string[],
): (incoming: IncomingMessage, outgoing: ServerResponse) => boolean {
  const any = origins.includes('*')
  const vary = Object.entries(varyFor(origins))
  const allowed = new Set(origins)
  return (incoming, outgoing) => {
    const origin = incoming.headers.origin
    for (const [name, value] of vary) outgoing.setHeader(name, value)
    if (origin === undefined) return false
    const permitted = any || allowed.has(origin)
    if (permitted) {
      outgoing.setHeader('Access-Control-Allow-Origin', any ? '*' : origin)
      outgoing.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
    }
    if (incoming.method !== 'OPTIONS' || incoming.headers['access-control-request-method'] === undefined) return false
    if (permitted) {
      outgoing.setHeader('Access-Control-Allow-Methods', METHODS)
      outgoing.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS)
      outgoing.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS)
    }
    outgoing.writeHead(204).end()
    return true
  }
}

/** What every response says to caches where some origins are answered differently. */
export function varyFor(origins: readonly string[]): Readonly<Record<string, string>> {
  return origins.length > 0 && !origins.includes('*') ? { Vary: 'Origin' } : {}
}
