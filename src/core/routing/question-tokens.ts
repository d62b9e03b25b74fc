import { joinNumbers } from './question-numbers.js'
import type { Token } from './question-token.js'
import { CASE_MATTERS, CONTRACTIONS, IS_AFTER, SAME_WORD } from './question-words.js'

/** A quoted text ends within so many characters; each opening quote is looked at once. */
const QUOTES: Readonly<Record<string, string>> = { '"': '"', '“': '”', '«': '»', '„': '“', '‘': '’', '`': '`' }
/** Punctuation that says nothing; everything else that is no letter, digit or white space is a sign that counts. */
const SILENT = /[,;:.?!¿¡…"“”„«»‘’'`。、！？]/
const NUMBER = /\d+(?:st|nd|rd|th)(?!\p{L})|\d[\d,.]*\d|\d/uy
const WORD = /\p{L}(?:[\p{L}\p{M}\p{N}_]|'(?=\p{L})|[.](?=[\p{L}\p{N}]))*(?:\+\+|#)?/uy
const GROUPED = /^\d{1,3}(,\d{3})+(\.\d+)?$/

/** The tokens of a text, in one pass. The text is at most some thousand characters. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let starts = true
  while (at < text.length) {
    const literal = literalAt(text, at)
    const found = literal === undefined ? (matchAt(NUMBER, text, at) ?? matchAt(WORD, text, at)) : undefined
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
    if (literal !== undefined) tokens.push({ text: literal.text, kind: 'literal', capital: false })
    else if (found === undefined) pushSign(tokens, text, at, char)
    else if (/\d/.test(char)) pushNumber(tokens, text, at, found)
    else pushWord(tokens, found, starts)
    if (found === undefined && literal === undefined) starts ||= /[.?!]/.test(char)
    else starts = false
    at = literal?.end ?? at + (found ?? char).length
  }
  return joinNumbers(tokens)
}

/** A character that is no part of a word: a sign that counts, the apostrophe of "Siemens' head", or nothing. */
function pushSign(tokens: Token[], text: string, at: number, char: string): void {
  const next = text.slice(at + 1, at + 3)
  const owns = char === "'" && /[sS]/.test(text[at - 1] ?? '') && /^\s\p{L}/u.test(next)
  const counts = char === '!' ? /^[\p{L}(]/u.test(next) : !/\s/.test(char) && !SILENT.test(char)
  if (owns) tokens.push({ text: "'s", kind: 'possessive', capital: false })
  else if (char === '&') tokens.push({ text: 'and', kind: 'word', capital: false })
  else if (counts) tokens.push({ text: char, kind: 'sign', capital: false })
}

/** A number with its sign: "-5" after a blank is one, "x-5" is none. */
function pushNumber(tokens: Token[], text: string, at: number, found: string): void {
  const negative = text[at - 1] === '-' && /^$|[\s(,=]/.test(text[at - 2] ?? '')
  if (negative) tokens.pop()
  tokens.push({ text: (negative ? '-' : '') + plainNumber(found), kind: 'number', capital: false })
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

const plainNumber = (found: string): string => (GROUPED.test(found) ? found.replaceAll(',', '') : found)

/** What counts letter by letter: quoted text, code, and the rest after a line break or after a colon and a blank. */
function literalAt(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const char = text[at] ?? ''
  const payload = char === '\n' || (char === ':' && /\s/.test(text[at + 1] ?? ''))
  if (payload && text.slice(at + 1).trim() !== '') return { text: text.slice(at + 1).trim(), end: text.length }
  const closing = QUOTES[char]
  if (closing !== undefined) {
    const end = text.indexOf(closing, at + 1)
    return end < 0 ? undefined : { text: text.slice(at + 1, end), end: end + 1 }
  }
  if (char !== "'" || !/^$|[\s(]/.test(text[at - 1] ?? '')) return undefined
  const end = /^'[^'\n]+'(?=$|[\s?.!,;)])/.exec(text.slice(at, at + 200))?.[0]
  return end === undefined ? undefined : { text: end.slice(1, -1), end: at + end.length }
}

/** A word, taken apart if it is a contraction, spelled in one way. */
function pushWord(tokens: Token[], found: string, starts: boolean): void {
  const dotted = /^\p{L}(\.\p{L})+$/u.test(found) ? found.replaceAll('.', '') : found
  const lower = dotted.toLowerCase()
  const capital = !starts && dotted[0] !== lower[0]
  const owner = /^(.+)'s$/.exec(lower)?.[1]
  const parts = contracted(lower) ?? [named(dotted.slice(0, (owner ?? lower).length), owner ?? lower, capital)]
  for (const text of parts) tokens.push({ text, kind: 'word', capital })
  if (owner !== undefined && parts.length === 1) tokens.push({ text: "'s", kind: 'possessive', capital })
}

/** The words of a contraction; after most words 's is no contraction. */
function contracted(lower: string): readonly string[] | undefined {
  const whole = CONTRACTIONS.get(lower)
  if (whole !== undefined) return whole.split('_')
  if (lower.endsWith("n't")) return [lower.slice(0, -3), 'not']
  const [, stem = '', ending = ''] = /^(.+?)'(s|re|m|ve|ll|d)$/.exec(lower) ?? []
  return stem !== '' && (ending !== 's' || IS_AFTER.has(stem)) ? [stem, ENDINGS[ending] ?? 'is'] : undefined
}

/** "US" and "us", "Polish" and "polish" are two words each; most others are one however they are written. */
function named(written: string, lower: string, capital: boolean): string {
  const shouted = written.length > 1 && written === written.toUpperCase()
  if (shouted && (lower === 'us' || lower === 'usa')) return 'usa'
  const name = CASE_MATTERS.has(lower) && (capital || (shouted && lower.length < 5))
  return name ? `${lower}^` : oneSpelling(lower)
}

const ENDINGS: Readonly<Record<string, string>> = { s: 'is', re: 'are', m: 'am', ve: 'have', ll: 'will', d: 'would' }
/** Written with -ise and no other way. */
const ISE =
  /^(exerc|adv|prom|surpr|r|w|ra|pra|no|prec|conc|prem|franch|dev|rev|superv|improv|comprom|disgu|enterpr|expert|otherw|l?ikew|merchand|telev|advert|exc|parad|dem|cru|bru|ar|po|po|expert|desp|treat|prec|chast|incis|circumc|c)/

/** One spelling of a word: `summarise` and `summarize`, `colours` and `colors`. */
function oneSpelling(word: string): string {
  const same = SAME_WORD.get(word)
  if (same !== undefined) return same
  if (word.endsWith('s') && SAME_WORD.has(word.slice(0, -1))) return `${SAME_WORD.get(word.slice(0, -1))}s`
  const [, stem = '', ending = ''] = /^(\p{L}{3,})is(e|es|ed|ing|ation|ations)$/u.exec(word) ?? []
  return stem === '' || ISE.test(stem) ? word : `${stem}iz${ending}`
}
