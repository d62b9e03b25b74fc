import { HTTP_LIMITS } from './limits.js'
import type { WarmResponse } from './listen/warm-lane.js'

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

/**
 * A large response of many small texts, which are written out one by one: as one text, and that as bytes, it would be
 * held twice more, until the next collection of garbage.
 */
export function plainPieces(pieces: Iterable<string>, headers: Record<string, string>): WarmResponse {
  const full: Buffer[] = []
  let buffer = Buffer.alloc(HTTP_LIMITS.pieceBytes)
  let used = 0
  for (const piece of pieces) {
    const bytes = Buffer.byteLength(piece)
    if (used + bytes > buffer.length) {
      full.push(buffer.subarray(0, used))
      buffer = Buffer.alloc(Math.max(HTTP_LIMITS.pieceBytes, bytes))
      used = 0
    }
    used += buffer.write(piece, used)
  }
  return plainBytes(Buffer.concat([...full, buffer.subarray(0, used)]), headers)
}

export const JSON_HEADERS = { 'Content-Type': JSON_TYPE }

/** What the warm lane would send, for the ordinary way. */
export function respond({ status, headers, body }: WarmResponse): Response {
  return new Response(body, { status, headers })
}
