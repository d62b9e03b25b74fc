/** Longest pointer we hand out: member names come from strangers and end up in error answers. */
export const jsonPointerCharsMax = 1_024

/**
 * The RFC 6901 pointer of a path of member names and array indices; `''` is the whole document.
 * A path that would pass `jsonPointerCharsMax` is cut after a whole token, so it names the nearest ancestor that fits.
 */
export function toJsonPointer(path: readonly (string | number)[]): string {
  let pointer = ''
  for (const token of path) {
    const next = typeof token === 'number' ? `/${token}` : `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (pointer.length + next.length > jsonPointerCharsMax) break
    pointer += next
  }
  return pointer
}
