/** With the `u` flag a surrogate pair is one code point, so the class meets only halves that stand alone. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/u

/** True where the text holds half a surrogate pair: such a text has no UTF-8 form (RFC 8785 section 3.2.2.2). */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text)
}
