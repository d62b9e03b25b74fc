import type { WarmResponse } from './warm-lane.js'

export const JSON_TYPE = 'application/json'
/** One JSON value a line. */
export const NDJSON_TYPE = 'application/x-ndjson'

/** A JSON response. */
export function jsonResponse(data: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(data), { status, headers: { 'Content-Type': JSON_TYPE, ...headers } })
}

/** The same as a plain response. */
export function plainJson(data: unknown): WarmResponse {
  return plainBytes(JSON.stringify(data))
}

/**
 * A response whose text exists already, JSON unless `headers` say otherwise: stored or cached bytes go out untouched.
 */
export function plainBytes(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = JSON_HEADERS,
): WarmResponse {
  return { status: 200, headers, body }
}

export const JSON_HEADERS = { 'Content-Type': JSON_TYPE }

/** What the warm lane would send, for the ordinary way. */
export function respond({ status, headers, body }: WarmResponse): Response {
  return new Response(body, { status, headers })
}
