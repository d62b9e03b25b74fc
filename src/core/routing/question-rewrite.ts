import { FIELDS, MANNERS, NAMED_FIELDS, PHRASES, QUESTIONS, type Rule } from './question-rules.js'
import { type Token, wordToken } from './question-token.js'

/** A longer text is no question of one of these kinds, and their rules look at it more than once. */
const askedCharsMax = 300
const LITERAL_MARK = '\uE000'
const CAPITAL_MARK = '\uE001'

/** Rewrites tokens as one text, in which a rule may name several words, and reads them again. */
function asText(tokens: readonly Token[], rewrite: (text: string) => string): readonly Token[] {
  // Marks of our own in the text would be taken for what they mark.
  if (tokens.some(({ text, kind }) => kind !== 'literal' && /[\uE000\uE001]/.test(text))) return tokens
  const text = tokens
    .map(({ text, kind, capital }, at) => {
      if (kind === 'literal' || kind === 'possessive') return `${LITERAL_MARK}${at}`
      return capital ? `${text}${CAPITAL_MARK}` : text
    })
    .join(' ')
  const put = rewrite(text)
  if (put === text) return tokens
  return put
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      if (part.startsWith(LITERAL_MARK)) return tokens[Number(part.slice(1))] ?? wordToken(part)
      if (/^-?\d/.test(part)) return { text: part, kind: 'number', capital: false }
      const capital = part.endsWith(CAPITAL_MARK)
      const word = capital ? part.slice(0, -1) : part
      return { text: word, kind: /^[\p{L}@]/u.test(word) ? 'word' : 'sign', capital }
    })
}

/** Words of a rule may have capitals. */
const inText = ([match, put]: Rule): Rule => [
  new RegExp(match.source.replaceAll(' ', `${CAPITAL_MARK}? `), match.flags),
  put,
]
const RULES = { phrases: PHRASES.map(inText), questions: QUESTIONS.map(inText), manners: MANNERS.map(inText) }

/** Tokens without what was found in them, and what is to stand at their end. */
type Parted = { readonly tokens: readonly Token[]; readonly last: readonly Token[] }

/** The field that a question is of ("in Python"), and how its answer is to be worded, at its end. */
export function fieldLast(tokens: readonly Token[]): Parted {
  const field = withoutField(tokens)
  const manner = withoutManner(field.tokens)
  if (manner.tokens.length < 2) return { tokens, last: [] }
  return { tokens: samePhrases(manner.tokens), last: [...field.last, ...manner.last] }
}

function withoutField(tokens: readonly Token[]): Parted {
  const [field, other] = tokens.filter(isField)
  const none = { tokens, last: [] }
  if (field === undefined || other !== undefined || tokens.length < 3) return none
  const at = tokens.indexOf(field)
  const [before, after] = [tokens[at - 1]?.text ?? '', tokens[at + 1]]
  const isLed = /^(?:in|of|on|using|with|for)$/.test(before)
  // "From Python", "Python or …": it has a place in what is said.
  if (/^(?:and|or|to|from|than|vs)$/.test(before) || /^(?:and|or|to|from|than|vs|version)$/.test(after?.text ?? '')) {
    if (!isLed || at !== 1) return none
  }
  const from = isLed ? at - 1 : at
  const to = after?.kind === 'possessive' ? at + 1 : at
  return {
    tokens: tokens.filter((_, index) => index < from || index > to),
    last: [wordToken(`@${field.text.replace('^', '')}`)],
  }
}

function withoutManner(tokens: readonly Token[]): Parted {
  const found = new Set<string>()
  const left = asText(tokens, (text) =>
    RULES.manners.reduce((rest, [match, tag]) => {
      const put = rest.replace(match, '').replaceAll(/ {2,}/g, ' ').trim()
      if (put === rest || put === '') return rest
      found.add(tag)
      return put
    }, text),
  )
  return { tokens: left, last: [...found].map(wordToken) }
}

const isField = ({ kind, text, capital }: Token): boolean =>
  kind === 'word' && (FIELDS.has(text) || (NAMED_FIELDS.has(text.replace('^', '')) && (capital || text.endsWith('^'))))

/** Phrases that mean the same, before anything else is read. */
export const samePhrases = (tokens: readonly Token[]): readonly Token[] =>
  asText(tokens, (text) => RULES.phrases.reduce((left, [match, put]) => left.replace(match, put), text))

/** The question in one of the ways in which it may be asked. */
export const sameQuestion = (tokens: readonly Token[]): readonly Token[] =>
  asText(tokens, (text) =>
    text.length > askedCharsMax
      ? text
      : RULES.questions.reduce((left, [match, put]) => left.replace(match, put), fragment(text)),
  )

const FRAGMENT =
  /^(?!(?:what|who|when|where|why|how|whose|howto|i|you|he|she|it|we|they|this|that|there|if|my|your|no|yes|not)\b).{1,80}$/u
const VERBAL =
  /(?:^| )(?:is|are|was|were|am|do|does|did|has|have|had|can|could|should|would|will|may|might|must)(?: |$)/u
const OF = / (?:of|for) /u

/** "Capital of Bolivia" asks what that is. */
const fragment = (text: string): string =>
  FRAGMENT.test(text) && OF.test(text) && !VERBAL.test(text) && !DIRECTED.test(text) ? `what is ${text}` : text
const DIRECTED =
  /^(?:[a-z]+ (?:me|us|the|a|an|this|these|my|it|in|all|to|from|up|out|on|between|\uE000\d+|\d)|(?:add|analyze|answer|convert|translate|explain|compare|summarize|rewrite|write|list|name|give|make|create|find|fix|correct|sort|solve|count|check|classify|extract|define|describe|suggest|recommend|calculate|compute|show|tell|say|spell|draft|plan|design|generate|provide|help|thanks|looking|search|wait|ask|pay|apply|vote|prepare|use)) ?/u
