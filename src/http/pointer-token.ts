/**
 * A name as a token of a JSON pointer, with its slash (RFC 6901). Core, which imports nothing, has whole pointers of
 * its own.
 */
export function pointerToken(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
