type Headers = Readonly<Record<string, string>>

/** The headers of an answer, `staleSeconds` old where the database is away. */
export type MarkStale = (headers: Headers, staleSeconds: number | undefined) => Headers

/**
 * Says of an answer how long ago it was last known to be current, and counts it. One object a second for each object of
 * headers: what is made of it is found again.
 */
export function createStaleMarks(count: () => void): MarkStale {
  const made = new WeakMap<Headers, { readonly seconds: number; readonly headers: Headers }>()
  return (headers, staleSeconds) => {
    if (staleSeconds === undefined) return headers
    count()
    const known = made.get(headers)
    if (known?.seconds === staleSeconds) return known.headers
    const marked = { ...headers, 'X-LLMRing-Stale': String(staleSeconds) }
    made.set(headers, { seconds: staleSeconds, headers: marked })
    return marked
  }
}
