import type { IncomingMessage, ServerResponse } from 'node:http'

/** What some route reads and a page may set. A test compares both lists with what is read and sent. */
const ALLOWED_HEADERS = [
  'X-Project-Key',
  'X-API-Key',
  'Authorization',
  'Content-Type',
  'Content-Encoding',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Prefer',
  'Last-Event-ID',
  'Cache-Control',
  'X-Change-Note',
  'X-LLM-Router-Cache',
  'X-LLM-Router-Cache-TTL',
  'X-LLMRing-Profile',
  'X-LLMRing-Receipt',
  'traceparent',
  'X-Request-Id',
].join(', ')
/** What some response carries for the program that asked, beyond the names that every page may read. */
const EXPOSED_HEADERS = [
  'ETag',
  'X-Request-Id',
  'Retry-After',
  'Accept-Encoding',
  'Link',
  'X-LLM-Router-Attempts',
  'X-LLM-Router-Cache',
  'X-LLM-Router-Model',
  'X-LLM-Router-Score',
  'X-LLM-Router-Tier',
  'X-LLMRing-Receipt-Id',
  'X-LLMRing-Stale',
  'X-Lock-Digest',
  'X-Receipt-Ignored',
  'X-Receipt-Legacy',
  'X-Registry-Source',
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

/** What every response says to caches if some origins are answered differently. */
export function varyFor(origins: readonly string[]): Readonly<Record<string, string>> {
  return origins.length > 0 && !origins.includes('*') ? { Vary: 'Origin' } : {}
}
