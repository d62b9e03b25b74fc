/** An entity tag in a list (RFC 9110, 8.8.3): weak or strong, any characters but quotes between the quotes. */
const ENTITY_TAG = /(?:W\/)?("[^"]*")/g

/**
 * Whether `If-None-Match` says that the client has this representation (RFC 9110, 13.1.2): `*`, or a list that names
 * the tag. The comparison is weak, so `W/"x"` is `"x"`. `etag` is strong, with its quotes.
 */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true
  for (const match of ifNoneMatch.matchAll(ENTITY_TAG)) if (match[1] === etag) return true
  return false
}
