import * as table from './question-words.js'

/** Whether a word says that something was; with a passive or a perfect in the text a participle does not. */
export const isPast = (word: string, passive: boolean): boolean =>
  table.PAST_BE.has(word) ||
  word === 'did' ||
  table.SIMPLE_PAST.has(word) ||
  (!passive && (table.PAST_OR_PARTICIPLE.has(word) || regularPast(word) !== undefined))

const regularPast = (word: string): string | undefined =>
  /^\p{L}{3,}ed$/u.test(word) && !/eed$/.test(word) ? withoutEd(word) : undefined

/** The present of a regular past, as its letters suggest; a wrong guess is a form of its own and no false one. */
function withoutEd(word: string): string {
  if (word.endsWith('ied')) return `${word.slice(0, -3)}y`
  const stem = word.slice(0, -2)
  if (/([bdgmnprt])\1$/.test(stem)) return stem.slice(0, -1)
  return /([^aeiou](at|ir|ur|in|os|us|is|as|ot|et)|[aeou]at|iz|c|v|g|u|as|eas|[^aeious]s|[bdptkg]l)$/.test(stem)
    ? `${stem}e`
    : stem
}

/** The lemma: singular, third person as first, a simple past as present (the tense is kept apart). */
export function lemmaOf(word: string, passive: boolean, capital = false): string {
  const irregular = table.IRREGULAR.get(word) ?? table.SIMPLE_PAST.get(word)
  if (irregular !== undefined) return irregular
  const past = passive ? undefined : (table.PAST_OR_PARTICIPLE.get(word) ?? regularPast(word))
  if (past !== undefined) return past
  return capital || table.KEEPS_S.has(word) ? word : singularOf(word)
}

function singularOf(word: string): string {
  if (word.length < 4 || /(ss|us|is|as|os)$/.test(word) || !word.endsWith('s')) return word
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  return /(ch|sh|x|ss|zz)es$/.test(word) ? word.slice(0, -2) : word.slice(0, -1)
}
