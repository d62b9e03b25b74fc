/**
 * One unit of a question: a word in lower case, a number as it was written, a sign, or a literal (quoted text, code,
 * what follows a colon or a line break) that counts letter by letter.
 */
export type Token = {
  readonly text: string
  readonly kind: 'word' | 'number' | 'sign' | 'literal' | 'possessive'
  /** Written with a capital although no sentence starts here. */
  readonly capital: boolean
}

export const wordToken = (text: string): Token => ({ text, kind: 'word', capital: false })
