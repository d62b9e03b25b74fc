import { framesOf, openingOf } from './question-frames.js'
import { fieldLast, samePhrases, sameQuestion } from './question-rewrite.js'
import { type Token, wordToken as word } from './question-token.js'
import * as table from './question-words.js'

/** `embedded`: a frame asked whether; `asked`: a frame that asks was taken away. */
export type Phrased = { readonly tokens: readonly Token[]; readonly embedded: boolean; readonly asked: boolean }

/** Puts an English request in one way: without its courtesies, "X's Y" as "Y of X", questions in one order. */
export function rephrase(all: readonly Token[]): Phrased {
  const polite = withoutPlace(all).filter(({ kind, text }) => kind !== 'word' || !table.POLITE.has(text))
  const framed = framesOf(polite)
  const { asked } = framed
  const { tokens, last } = fieldLast(samePhrases(framed.tokens))
  const embedded = tokens[0]?.text === 'if' && asked
  const opened = embedded ? tokens.slice(1) : openingOf(tokens, asked)
  const put = relative(arithmetic(superlative(sameQuestion(possessive(meaning(opened))))))
  return { tokens: [...put, ...last], embedded, asked }
}

/** "In what year" is "what year", and the United States are the USA. */
const withoutPlace = (tokens: readonly Token[]): readonly Token[] =>
  tokens.flatMap((token, at) => {
    const [before, after] = [tokens[at - 1], tokens[at + 1]]
    if (at === 0 && token.text === 'in' && after?.text === 'what') return []
    if (token.text === 'states' && before?.text === 'united') return [word('usa')]
    return token.text === 'united' && after?.text === 'states' ? [] : [token]
  })

/** "What does X mean" as "define X", and "how much does X weigh" as "what is the weight of X". */
function meaning(tokens: readonly Token[]): readonly Token[] {
  const last = tokens.at(-1)?.text
  const start = tokens.slice(0, 3).map(({ text }) => text)
  if (start[0] === 'what' && start[1] === 'meaning') return [...tokens.slice(0, 2), ...withoutTheWord(tokens.slice(2))]
  if (start[0] === 'what' && last === 'means' && tokens.length > 1) {
    return [word('what'), word('meaning'), ...withoutTheWord(tokens.slice(1, -1))]
  }
  const does = start.findIndex((text) => text === 'does' || text === 'do')
  if (does < 1 || (last !== 'mean' && last !== 'weigh')) return tokens
  const plain = start.slice(0, does).join(' ')
  const rest = tokens.slice(does + 1, -1)
  if (last === 'mean') return plain === 'what' ? [word('what'), word('meaning'), ...withoutTheWord(rest)] : tokens
  return plain === 'what' || plain === 'how much' ? [word('what'), word('weight'), ...rest] : tokens
}

/** "The word 'x'" is "x". */
const withoutTheWord = (tokens: readonly Token[]): readonly Token[] => {
  const named = /^(word|term)$/.test(tokens[1]?.text ?? '') && tokens[2]?.kind === 'literal'
  return tokens[0]?.text === 'the' && named ? tokens.slice(2) : tokens
}

/** Where the owner before 's, or what is owned after it, ends. */
const ENDS = (token: Token | undefined): boolean =>
  token === undefined ||
  token.kind === 'possessive' ||
  token.kind === 'sign' ||
  table.ARTICLES.has(token.text) ||
  table.QUESTION_WORDS.has(token.text) ||
  table.DIRECTIVES.has(token.text) ||
  table.PRESENT_BE.has(token.text) ||
  table.PAST_BE.has(token.text) ||
  table.YES_NO.has(token.text) ||
  /^(of|in|on|at|to|for|from|by|with|about|and|or|than|that|this|if|but|as|not|before|after|without|against)$/.test(
    token.text,
  )

/** "France's capital city" as "capital city of France". */
function possessive(tokens: readonly Token[]): readonly Token[] {
  const out = [...tokens]
  for (let at = 0; at < out.length; at += 1) {
    if (out[at]?.kind !== 'possessive') continue
    let start = at
    while (start > 0 && !ENDS(out[start - 1])) start -= 1
    let end = at + 1
    while (end < out.length && !ENDS(out[end])) end += 1
    if (start === at || end === at + 1) continue
    const moved = [...out.slice(at + 1, end), word('of'), ...out.slice(start, at)]
    out.splice(start, end - start, ...moved)
    at = end
  }
  return out
}

const SUPERLATIVE = /^(\p{L}{3,}est|best|worst)$/u

/** "What planet is the largest in X" as "what is the largest planet in X". */
function superlative(tokens: readonly Token[]): readonly Token[] {
  if (tokens[0]?.text !== 'what') return tokens
  const be = tokens.findIndex(({ text }) => text === 'is' || text === 'are')
  const most = tokens[be + 2]
  const reads = (be === 2 || be === 3) && tokens[be + 1]?.text === 'the' && SUPERLATIVE.test(most?.text ?? '')
  const next = tokens[be + 3]
  if (!reads || most === undefined || !(next === undefined || /^(in|of|on)$/.test(next.text))) return tokens
  return [word('what'), most, ...tokens.slice(1, be), ...tokens.slice(be + 3)]
}

const SIGNS: Readonly<Record<string, string>> = { times: '*', x: '*' }

/** "12 times 12" and "12 x 12" as "12 * 12". */
const arithmetic = (tokens: readonly Token[]): readonly Token[] =>
  tokens.map((token, at) => {
    const sign = SIGNS[token.text]
    const between = tokens[at - 1]?.kind === 'number' && tokens[at + 1]?.kind === 'number'
    return sign !== undefined && between ? { text: sign, kind: 'sign', capital: false } : token
  })

/** "Which" became "what" everywhere: in the middle, after a noun, it is "that". */
const relative = (tokens: readonly Token[]): readonly Token[] =>
  tokens.map((token, at) => {
    const before = tokens[at - 1]
    const noun = before?.kind === 'word' && !ENDS(before) && before.text.length > 3
    return token.text === 'what' && at > 2 && noun ? word('that') : token
  })
