import { matchesEtag } from '../../http/etag.js'
import type { Warm, WarmResponse } from '../../http/listen/warm-lane.js'
import { JSON_TYPE } from '../../http/response.js'
import { findListed, type Listing } from './alias-listing.js'
import { DEFAULT_PROFILE } from './schema.js'
import type { ShownAlias } from './show-alias.js'
import type { Keeper, Known } from './snapshots.js'
import type { MarkStale } from './stale-headers.js'

type Headers = Readonly<Record<string, string>>
type Lists = Pick<Keeper<Listing>, 'inMemory'>

/** One pair of objects a listing: what is made of headers when they are written is found again. */
const made = new WeakMap<Listing, { readonly full: Headers; readonly unchanged: Headers }>()

/**
 * The whole list, or 304 where the client has it; undefined where it is too large to be kept and the client has it not.
 */
export function listResponse(
  { content, staleSeconds }: Pick<Known<Listing>, 'content' | 'staleSeconds'>,
  ifNoneMatch: string | undefined,
  markStale: MarkStale,
): WarmResponse | undefined {
  const { etag, bytes } = content
  const headers = made.get(content) ?? headersOf(etag, bytes)
  made.set(content, headers)
  if (matchesEtag(ifNoneMatch, etag)) {
    return { status: 304, headers: markStale(headers.unchanged, staleSeconds), body: null }
  }
  return bytes && { status: 200, headers: markStale(headers.full, staleSeconds), body: bytes }
}

/** An alias, or 304 where the client has it. */
export function aliasResponse(
  { body, etag, staleSeconds }: ShownAlias,
  ifNoneMatch: string | undefined,
  markStale: MarkStale,
): WarmResponse {
  const { full, unchanged } = headersOf(etag, body)
  if (matchesEtag(ifNoneMatch, etag)) return { status: 304, headers: markStale(unchanged, staleSeconds), body: null }
  return { status: 200, headers: markStale(full, staleSeconds), body }
}

function headersOf(etag: string, body: string | Uint8Array | undefined) {
  const unchanged = { ETag: etag }
  if (body === undefined) return { full: unchanged, unchanged }
  const full = { ...unchanged, 'Content-Type': JSON_TYPE, 'Content-Length': String(Buffer.byteLength(body)) }
  return { full, unchanged }
}

/** The whole list of one profile, or of all, as the lane answers it. */
export function warmList({ inMemory }: Lists, markStale: MarkStale): Warm {
  return ({ principal, query, ifNoneMatch }) => {
    const profile = query === '' ? undefined : onlyProfile(query)
    if (profile === '') return undefined
    const known = inMemory(principal.projectId, profile)
    return known && listResponse(known, ifNoneMatch, markStale)
  }
}

/** One alias, as the lane answers it. */
export function warmAlias({ inMemory }: Lists, markStale: MarkStale): Warm {
  return ({ principal, query, segment = '', ifNoneMatch }) => {
    const profile = query === '' ? DEFAULT_PROFILE : onlyProfile(query)
    if (profile === '') return undefined
    const known = inMemory(principal.projectId, profile)
    const found = known && findListed(known.content, known.epoch, segment)
    if (found === undefined) return undefined
    const { bytes: body, etag } = found
    return aliasResponse({ body, etag, staleSeconds: known?.staleSeconds }, ifNoneMatch, markStale)
  }
}

/** The value of `profile=…` if that is all of the query; an empty one otherwise, which the endpoint's schema reads. */
function onlyProfile(query: string): string {
  return query.startsWith('profile=') && !query.includes('&') ? query.slice('profile='.length) : ''
}
