import { JSON_TYPE } from '../../http/answer.js'
import type { Rendered } from './answers.js'

/** How long an answer may be kept: for good, or like a copy that was confirmed `ageSeconds` ago. */
export type Freshness =
  | { readonly kind: 'immutable' }
  | { readonly kind: 'copy'; readonly ageSeconds: number; readonly maxAgeSeconds: number }
  /** It lacks something or is bundled: it may be kept, and must be asked for again each time. */
  | { readonly kind: 'incomplete'; readonly ageSeconds: number }

const IMMUTABLE = 'public, max-age=31536000, immutable'

/**
 * A body that clients and proxies may keep, or 304 with the same ETag and Cache-Control where they have it already.
 * `Age` counts against `max-age` (RFC 9111, 4.2), so a copy is fresh out there as long as it is in here.
 */
export function cachedAnswer(
  rendered: Rendered,
  freshness: Freshness,
  header: (name: string) => string | undefined,
): Response {
  const headers: Record<string, string> = {
    ETag: rendered.etag,
    'Cache-Control': cacheControl(freshness),
    'X-Registry-Source': rendered.source,
  }
  if (freshness.kind !== 'immutable') headers['Age'] = String(freshness.ageSeconds)
  if (matchesEtag(header('if-none-match'), rendered.etag)) return new Response(null, { status: 304, headers })
  headers['Content-Type'] = JSON_TYPE
  headers['Content-Length'] = String(rendered.bytes.byteLength)
  return new Response(rendered.bytes, { status: 200, headers })
}

function cacheControl(freshness: Freshness): string {
  if (freshness.kind === 'immutable') return IMMUTABLE
  return freshness.kind === 'incomplete' ? 'public, no-cache' : `public, max-age=${freshness.maxAgeSeconds}`
}

/** An entity tag in a list (RFC 9110, 8.8.3): weak or strong, any characters but quotes between the quotes. */
const ENTITY_TAG = /(?:W\/)?("[^"]*")/g

/**
 * Whether `If-None-Match` says that the client has this representation (RFC 9110, 13.1.2): `*`, or a list that names
 * the tag. The comparison is weak, so `W/"x"` is `"x"`. `etag` is strong, with its quotes.
 */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  for (const match of ifNoneMatch.matchAll(ENTITY_TAG)) if (match[1] === etag) return true
  return false
}
