import { contentAt, type Tense } from './question-content.js'
import { isPast } from './question-lemma.js'
import { rephrase } from './question-phrases.js'
import type { Token } from './question-token.js'
import { tokensOf } from './question-tokens.js'
import * as table from './question-words.js'

/** A longer text is a document: it is compared letter by letter, by the exact key. */
export const questionCharsMax = 4_000

/**
 * What a question asks, without how it was put: `key` holds every word that counts, in its order, with numbers,
 * negations, quoted texts and the tense, and has to be equal; `words` are the normalised words, for the Jaccard measure.
 */
export type QuestionForm = { readonly key: string; readonly words: readonly string[] }

/**
 * The canonical form of a prompt; undefined if it is empty or longer than `questionCharsMax`. Two prompts of one form
 * may be answered by one answer. In doubt they get two forms: a false answer costs more than a call. Only English is
 * rephrased; in other languages case, punctuation and white space are all that is evened out.
 */
export function questionForm(prompt: string): QuestionForm | undefined {
  if (prompt.length > questionCharsMax) return undefined
  const text = prompt
    .normalize('NFC')
    .replaceAll(/[’ʼ]/g, "'")
    .replaceAll('×', '*')
    .replaceAll(/\be-mail/gi, 'email')
    .trim()
  const tokens = tokensOf(text)
  if (tokens.length === 0) return undefined
  const counted = isEnglish(tokens, text) ? englishOf(tokens, text) : tokens.map(render)
  if (counted.length === 0) return undefined
  return { key: counted.join(' '), words: [...new Set(counted)] }
}

/** How much two sets of words share, 0 to 1 (Jaccard 1901): the size of what both have over the size of what either has. */
export function jaccard(one: readonly string[], other: readonly string[]): number {
  const [set, union] = [new Set(one), new Set([...one, ...other])]
  const shared = other.filter((word) => set.has(word)).length
  return union.size === 0 ? 1 : shared / union.size
}

const render = ({ kind, text }: Token): string => (kind === 'literal' ? JSON.stringify(text) : text)

/** Whether no word shows another language. Other scripts than Latin, and an upside-down question mark, do. */
function isEnglish(tokens: readonly Token[], text: string): boolean {
  const words = tokens.filter(({ kind }) => kind === 'word')
  if (words.length === 0 || text.startsWith('¿') || text.startsWith('¡')) return false
  if (words.some((word) => /[^\p{Script=Latin}\p{M}\p{N}'_.+#^%-]/u.test(word.text))) return false
  const foreign = words.filter((word) => table.OTHER_LANGUAGES.has(word.text)).length
  const marked = words.some((word) => /[^\p{ASCII}]/u.test(word.text))
  return foreign < 2 && !(foreign === 1 && (marked || table.OTHER_LANGUAGES.has(words[0]?.text ?? '')))
}

function englishOf(tokens: readonly Token[], text: string): string[] {
  const phrased = rephrase(tokens)
  const words = phrased.tokens
  const tense = tenseOf(words, phrased.asked)
  const counted = words.flatMap((token, index) => [...contentAt(words, index, token, tense)])
  const first = words[0]?.text ?? ''
  const yesNo = phrased.embedded || table.YES_NO.has(first)
  const told = phrased.asked || table.QUESTION_WORDS.has(first) || table.DIRECTIVES.has(first)
  const asks = yesNo ? ['?yn'] : text.endsWith('?') && !told ? ['?'] : []
  const past = tense.past > 0 ? [`past${tense.past}`] : []
  return [...asks, ...withArticle(counted, words), ...past]
}

/** Which tense the verbs are in that say nothing else. Where both occur each has to stand where it stood. */
function tenseOf(words: readonly Token[], embedded: boolean): Tense {
  const is = (set: ReadonlySet<string>) => words.filter(({ kind, text }) => kind === 'word' && set.has(text)).length
  const passive = is(table.PERFECT_OR_PASSIVE) > 0
  const pasts = words.filter(({ kind, text }) => kind === 'word' && isPast(text, passive)).length
  const present = is(table.PRESENT_BE) + words.filter(({ text }) => text === 'do' || text === 'does').length
  return { past: pasts, mixed: pasts > 0 && present > 0, passive, embedded }
}

/** With a single word left an article tells "what is matter" from "what is the matter". */
function withArticle(counted: readonly string[], words: readonly Token[]): string[] {
  const content = counted.filter((word) => !table.QUESTION_WORDS.has(word))
  const the = words.some(({ text }) => text === 'the')
  return content.length <= 1 && the ? [...counted, 'the'] : [...counted]
}
