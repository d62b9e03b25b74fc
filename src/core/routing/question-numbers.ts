import type { Token } from './question-token.js'
import { NUMBER_WORDS, ORDINALS, SCALES } from './question-words.js'

/** Number words as digits ("twenty-one" is 21, "two hundred" 200), and without hyphens that may be left out. */
export function joinNumbers(tokens: readonly Token[]): Token[] {
  const joined: Token[] = []
  // What the next word may add to the last number, if words made that: less than 10 after "twenty".
  let room = 0
  for (const token of tokens) {
    const text = token.kind === 'word' ? token.text : ''
    const [value, scale] = [NUMBER_WORDS.get(text), SCALES.get(text)]
    if (value !== undefined) room = addValue(joined, value, room)
    else if (scale !== undefined && multiply(joined, scale)) room = scale
    else {
      const ordinal = ORDINALS.get(text)
      joined.push(ordinal === undefined ? token : { ...token, text: ordinal })
      if (token.text !== '-') room = 0
    }
  }
  return joined.filter((token, index) => !isHyphen(token, joined[index - 1], joined[index + 1]))
}

/** Adds the value to the number before it if that has room for it, else puts it down; returns the room that is left. */
function addValue(joined: Token[], value: number, room: number): number {
  const hyphen = joined.at(-1)?.text === '-'
  const number = joined.at(hyphen ? -2 : -1)
  const adds = value > 0 && value < room && number?.kind === 'number'
  if (adds) joined.splice(hyphen ? -2 : -1, 2)
  joined.push(numberToken(adds ? Number(number.text) + value : value))
  return value >= 20 ? 10 : 0
}

/** "5 million", "a hundred". */
function multiply(joined: Token[], scale: number): boolean {
  const last = joined.at(-1)
  if (last?.kind !== 'number' && last?.text !== 'a') return false
  joined.splice(-1, 1, numberToken((last.kind === 'number' ? Number(last.text) : 1) * scale))
  return true
}

const numberToken = (value: number): Token => ({ text: String(value), kind: 'number', capital: false })

/** The hyphen of "three-day trip", which may be left out, and not the minus of "x - 1". */
function isHyphen({ kind, text }: Token, before: Token | undefined, after: Token | undefined): boolean {
  if (kind !== 'sign' || text !== '-') return false
  const long = before?.kind === 'number' || (before?.text.length ?? 0) > 1
  return long && after?.kind === 'word' && after.text.length > 1
}
