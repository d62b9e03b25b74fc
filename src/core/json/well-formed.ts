/** True if the text holds half a surrogate pair: such a text has no UTF-8 form (RFC 8785 section 3.2.2.2). */
export function hasLoneSurrogate(text: string): boolean {
  return !text.isWellFormed()
}
