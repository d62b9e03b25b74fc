import { lemmaOf } from './question-lemma.js'
import type { Token } from './question-token.js'
import * as table from './question-words.js'

/** Which tense the verbs are in that say nothing else; `embedded` if a frame as "do you know" was taken away. */
export type Tense = {
  readonly past: number
  readonly mixed: boolean
  readonly passive: boolean
  readonly embedded: boolean
}
type Place = {
  readonly text: string
  readonly before: Token | undefined
  readonly after: Token | undefined
  readonly first: string
  readonly tense: Tense
}

const NONE: readonly string[] = []
const be = ({ text, tense }: Place): readonly string[] =>
  tense.mixed ? [table.PAST_BE.has(text) ? 'was' : 'is'] : NONE
const keepIf = (kept: boolean, text: string): readonly string[] => (kept ? [text] : NONE)

/** What is left of a word that mostly says nothing. */
const LIGHT: Readonly<Record<string, (place: Place) => readonly string[]>> = {
  an: () => NONE,
  the: () => NONE,
  is: be,
  are: be,
  be,
  was: be,
  were: be,
  am: (place) => (place.before?.kind === 'number' ? ['am'] : be(place)),
  do: auxiliary,
  does: auxiliary,
  did: auxiliary,
  of: () => NONE,
  in: ({ after }) => keepIf(after?.kind === 'number' || table.TIMES.has(after?.text.replace('^', '') ?? ''), 'in'),
  for: ({ before }) => keepIf(!table.TAKES_FOR.has(lemmaOf(before?.text ?? '', false)), 'for'),
  there: ({ before, after }) => keepIf(!isBe(before) && !isBe(after), 'there'),
  have: ({ first, after }) => keepIf(after !== undefined || !/^(what|how)$/.test(first), 'have'),
  city: ({ before }) => keepIf(before?.text !== 'capital', 'city'),
  current: ({ after }) => keepIf(!table.ROLES.has(after?.text ?? ''), 'current'),
}

/** The word that counts at this place, or none. */
export function contentAt(words: readonly Token[], index: number, token: Token, tense: Tense): readonly string[] {
  if (token.kind === 'literal') return [JSON.stringify(token.text)]
  // A sign, a number, or a field, which has no plural: "@https".
  if (token.kind !== 'word' || token.text.startsWith('@')) return [token.text]
  const { text } = token
  const place = { text, before: words[index - 1], after: words[index + 1], first: words[0]?.text ?? '', tense }
  if (isMentioned(place)) return [text]
  if (text === 'a') return isLetter(token, place) ? ['a.'] : NONE
  const light = Object.hasOwn(LIGHT, text) ? LIGHT[text] : undefined
  if (light !== undefined) return light(place)
  const lemma = lemmaOf(text, tense.passive, token.capital)
  return [table.SYNONYMS.get(lemma) ?? lemma]
}

const FUNCTION_WORD = /^(a|an|the|is|are|am|was|were|be|do|does|did|of|in|for)$/
const MENTIONS = /^(and|or|versus|vs|operator|keyword|clause|statement|loop|word|verb|article|preposition)$/

/** Whether the text speaks of such a word: "between is and are", "the in operator"; "is" last, and "log in". */
function isMentioned({ text, before, after, tense }: Place): boolean {
  if (!FUNCTION_WORD.test(text)) return false
  if (after === undefined) return !(tense.embedded && /^(is|are|am|was|were|be)$/.test(text))
  if (text === 'in' && /^(to|for|on|it|and|or)$/.test(after.text)) return true
  if (text === 'a' && /^(few|little|lot)$/.test(after.text)) return true
  return before?.text === 'between' ? /^(and|or)$/.test(after.text) : MENTIONS.test(after.text) && before !== undefined
}

const isBe = (token: Token | undefined): boolean =>
  token !== undefined && (table.PRESENT_BE.has(token.text) || table.PAST_BE.has(token.text))

const DOERS = /^(i|you|we|they|it|he|she|to|not|can|could|should|would|will)$/

/** "Do" counts if it is what is done: at the end, or after who does it or "to". */
function auxiliary({ text, before, after, tense }: Place): readonly string[] {
  if (after === undefined || DOERS.test(before?.text ?? '')) return ['do']
  return tense.mixed ? [text === 'did' ? 'was' : 'is'] : NONE
}

/** Whether "a" is a name: "vitamin A", "add(a, b)", a last word. */
function isLetter({ capital }: Token, { before, after }: Place): boolean {
  if (capital || after === undefined) return true
  return after.kind === 'sign' || before?.kind === 'sign' || table.TAKES_LETTER.has(before?.text ?? '')
}
