import { type Token, wordToken } from './question-token.js'
import { DIRECTIVES, FRAMES, PERSONAL_VERBS } from './question-words.js'

/** How a request may open: the words that match are taken away and `put` stands in their place. */
type Rule = { readonly match: RegExp; readonly put: readonly string[]; readonly asks: boolean }
const rule = (match: RegExp, put = '', asks = false): Rule => ({ match, put: put === '' ? [] : put.split(' '), asks })

const DIRECTIVE = [...DIRECTIVES].join('|')
/** What asks nothing by itself: greetings, courtesies, "could you tell me". */
const FRAME_RULES: readonly Rule[] = [
  rule(/^(?:hi|hello|hey|greetings) (?:there )?(?=\S)/),
  rule(new RegExp(`^(?:${FRAMES.join('|')}) (?=\\S+ \\S)`), '', true),
  rule(new RegExp(`^(?:can|could|would|will) you (?:possibly |maybe )?(?=(?:${DIRECTIVE}) )`)),
  rule(/^tell me (?=(?:what|who|when|where|why|how|whose|if) )/, '', true),
  rule(/^tell me (?=the \S)/, 'what', true),
  rule(/^(?:explain|describe) (?:to me )?(?=(?:what|who|when|where|why|how) \S)/, '', true),
]
/** Openings that ask the same: "list five", "give me a list of five" and "what are five". */
const OPENING_RULES: readonly Rule[] = [
  rule(/^how to /, 'howto'),
  rule(/^what is the way to /, 'howto'),
  rule(
    new RegExp(`^how (?:do|can|does|would) (?:i|you|we|1) (?!(?:${[...PERSONAL_VERBS].join('|')})(?: |$))`),
    'howto',
  ),
  rule(/^(?:list|name|give) (?:me )?(?:a list of )?(?=(?:\d\S*|the|all|some|a|an) \S)/, 'what'),
  rule(/^(?:calculate|compute) (?=\S+ \S)/, 'what'),
  rule(/^explain (?=the differences? )/, 'what'),
  rule(/^define (?=\S)/, 'what meaning'),
  rule(/^what is the (?:meaning|definition) of (?=\S)/, 'what meaning'),
  rule(/^how old (?=(?:is|are) )/, 'what age'),
  rule(/^how heavy (?=(?:is|are) )/, 'what weight'),
  rule(/^how fast (?=(?:is|are) )/, 'what speed'),
  rule(/^how (?:tall|high) (?=(?:is|are) )/, 'what height'),
  rule(/^who (?:is|was) the author of /, 'who wrote'),
  rule(/^who (?:is|was) the painter of /, 'who painted'),
  rule(/^who (?:is|was) the inventor of /, 'who invented'),
  rule(/^who (?:is|was) the discoverer of /, 'who discovered'),
]
const CLOSING = / (?:thanks in advance|thank you|thanks|for me|to me)$/
const ROUNDS_MAX = 6
/** The longest opening and closing have fewer words. */
const EDGE_WORDS_MAX = 12

const render = ({ kind, text }: Token): string => (kind === 'word' || kind === 'number' ? text : kind)
const edge = (tokens: readonly Token[]): string => tokens.map(render).join(' ')

/** The request without its frames; `asked` if one of them asked, as "do you know" does. */
export function framesOf(tokens: readonly Token[]): { readonly tokens: readonly Token[]; readonly asked: boolean } {
  const closing = CLOSING.exec(edge(tokens.slice(-4)))?.[0]
  let left = closing === undefined ? tokens : tokens.slice(0, -closing.trim().split(' ').length)
  let asked = false
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const found = ruleFor(FRAME_RULES, left)
    if (found === undefined) break
    left = found.tokens
    asked ||= found.asks
  }
  return { tokens: left, asked }
}

/** The request with its opening put in one way. */
export function openingOf(tokens: readonly Token[], asked: boolean): readonly Token[] {
  const opened = ruleFor(OPENING_RULES, tokens)
  if (opened !== undefined) return opened.tokens
  const [first, second] = tokens
  if (second?.text === 'me' && DIRECTIVES.has(first?.text ?? '')) return tokens.filter((_, at) => at !== 1)
  return asked && first?.text === 'the' ? [wordToken('what'), ...tokens] : tokens
}

type Opened = { readonly tokens: readonly Token[]; readonly asks: boolean }

function ruleFor(rules: readonly Rule[], tokens: readonly Token[]): Opened | undefined {
  const start = edge(tokens.slice(0, EDGE_WORDS_MAX))
  for (const { match, put, asks } of rules) {
    const found = match.exec(start)?.[0]
    if (found === undefined) continue
    const dropped = found.trim().split(' ').length
    return { tokens: [...put.map(wordToken), ...tokens.slice(dropped)], asks }
  }
  return undefined
}
