const ABSOLUTE = /^https?:\/\/[^/?#\\@]+([/#].*)?$/
const ASCII = /^[!-~]*$/
/** `.` or `..` between separators. */
const DOT_SEGMENT = /(?:^|[/\\])\.\.?(?=[/\\#]|$)/
const ENCODED: Readonly<Record<string, string>> = { '%2e': '.', '%2f': '/', '%5c': '\\' }

/**
 * Whether a request target (RFC 9112, 3.2) can be used as it was sent. A path with dot segments means one thing to a
 * proxy that removes them and another to one that does not, so a rule by prefix would be passed by: they are refused,
 * raw, encoded, and behind encoded slashes. So are backslashes, which the URL standard takes for slashes, and what is
 * not ASCII, which it would rewrite.
 */
export function isUsableTarget(target: string): boolean {
  const query = target.indexOf('?')
  const address = query === -1 ? target : target.slice(0, query)
  const absolute = address.startsWith('/') ? null : ABSOLUTE.exec(address)
  if (absolute === null && !address.startsWith('/')) return false
  const path = absolute === null ? address : (absolute[1] ?? '')
  if (!ASCII.test(target) || path.includes('\\')) return false
  if (!path.includes('.') && !path.includes('%2')) return true
  return !DOT_SEGMENT.test(path.replace(/%(?:2e|2f|5c)/gi, (part) => ENCODED[part.toLowerCase()] ?? part))
}
