import type { Tier } from './backend.js'
import {
  CODE,
  DEMANDS,
  HARD_SIGNS,
  MAKING_SIGNS,
  REASONING,
  SHORT_ANSWER,
  type Sign,
  SMALL_CHANGE,
  signOf,
} from './classify-words.js'
import { instructionOf } from './instruction-of.js'

/** What of a request says how hard it is. */
export type Asked = {
  /** The last message of the user. */
  readonly prompt: string
  readonly system: string
  /** Messages of the conversation, system messages left out. */
  readonly turns: number
  /** Characters of the whole conversation. */
  readonly chars: number
  readonly tools: boolean
  readonly json: boolean
}
export type TierLimits = { readonly tier1Max: number; readonly tier2Max: number }
export type Classified = { readonly score: number; readonly tier: Tier; readonly reasons: readonly string[] }

export const DEFAULT_TIER_LIMITS: TierLimits = { tier1Max: 30, tier2Max: 70 }
/** A longer prompt is judged by its beginning and its end: there stands what is asked. */
const readCharsMax = 4_000
const CHARS_PER_TOKEN = 4

type Points = { readonly points: number; readonly reason: string }

/** How hard a request is, 0 to 100, the tier that is for, and the reasons with their points. Linear, and bounded. */
export function classify(asked: Asked, limits: TierLimits = DEFAULT_TIER_LIMITS): Classified {
  const text = readable(asked.prompt).toLowerCase()
  const points = [...shapeOf(asked, text), ...taskOf(instructionOf(text))].filter(({ points }) => points > 0)
  const score = Math.min(
    100,
    points.reduce((sum, one) => sum + one.points, 0),
  )
  const tier = tierOf(score, limits)
  const reasons = points.map((one) => `${one.reason} +${one.points}`)
  return { score, tier: asked.tools && tier === 1 ? 2 : tier, reasons }
}

export function tierOf(score: number, { tier1Max, tier2Max }: TierLimits): Tier {
  if (score <= tier1Max) return 1
  return score <= tier2Max ? 2 : 3
}

const readable = (prompt: string): string =>
  prompt.length <= readCharsMax ? prompt : `${prompt.slice(0, readCharsMax - 1_000)}\n${prompt.slice(-1_000)}`

/** What the shape of the request gives, whatever it is about. */
function shapeOf(asked: Asked, text: string): Points[] {
  const tokens = asked.chars / CHARS_PER_TOKEN
  const size = [40, 150, 500, 1_500, 4_000, 12_000].filter((limit) => tokens > limit).length
  return [
    { points: 5 + 5 * size, reason: 'tokens' },
    { points: Math.min(15, 3 * Math.max(0, Math.floor((asked.turns - 1) / 2))), reason: 'conversation' },
    {
      points: asked.system === '' ? 0 : Math.min(10, 2 + Math.floor(asked.system.length / 200)),
      reason: 'system prompt',
    },
    { points: asked.json ? 10 : 0, reason: 'JSON mode' },
    { points: asked.tools ? 15 : 0, reason: 'tools' },
    { points: CODE.test(text.slice(0, 2_000)) ? 10 : 0, reason: 'code' },
    { points: REASONING.test(text) ? 15 : 0, reason: 'way of reasoning' },
  ]
}

/** What the words ask for: the words of hard work weigh most, and a lookup nothing. */
function taskOf(text: string): Points[] {
  const words = text.match(/\p{L}[\p{L}-]*/gu) ?? []
  const signs: Record<Sign, number> = { small: 0, maker: 0, making: 0, demanding: 0, hard: 0, certain: 0 }
  for (const word of new Set(words)) {
    const sign = signOf(word)
    if (sign !== undefined) signs[sign] += 1
  }
  const { hard, demanding, certain } = { ...signs, certain: signs.certain + (HARD_SIGNS.test(text) ? 1 : 0) }
  const demands = new Set(text.match(DEMANDS)).size
  const isLong = words.length > 26 && demands + Math.min(2, demanding + hard) > 3
  const difficult =
    certain > 0 || hard > 1 || (hard > 0 && demanding > 1) || (demanding > 2 && words.length > 10) || isLong
  const open = difficult || (hard > 0 && words.length > 8) ? undefined : smallOf(words, signs, text)
  if (difficult) return HARD_TASK
  return open ?? [{ points: hard > 0 || demanding > 1 ? 45 : 30, reason: 'task' }]
}

const HARD_TASK: Points[] = [
  { points: 60, reason: 'hard task' },
  { points: 15, reason: 'reasoning' },
]

const OTHER_SCRIPT = /(?!\p{Script=Latin})\p{L}{2}/u

/** Undefined if the request is for more than a small model. */
function smallOf(words: readonly string[], signs: Readonly<Record<Sign, number>>, text: string): Points[] | undefined {
  const first = words.slice(0, 2).map(signOf)
  const short = words.length <= 10
  // Without blanks between words, or of words that are not known here, the length alone tells.
  if (MAKING_SIGNS.test(text) || (OTHER_SCRIPT.test(text) && text.length > 40)) return undefined
  if (
    /^(how (many|much|old|tall|far|long|do (i|you) (say|spell))|what('s| is| are| does| do| year| time| color|'re))\b/.test(
      text,
    ) &&
    short &&
    signs.making < 2 &&
    signs.demanding < 2
  )
    return []
  if (words.length <= 40 && (SHORT_ANSWER.test(text) || SMALL_CHANGE.test(text)) && signs.demanding < 2) return []
  if (first[0] === 'small' && words.length <= 24 && signs.making + signs.demanding < 2) return []
  if (first[0] === 'maker' && short && signs.making === 0) return []
  if (first.includes('maker') && signs.making + signs.demanding > 0) return undefined
  if (signs.making > 0 && words.length > 4 && (!short || first.includes('making'))) return undefined
  return words.length > 18 || signs.demanding > 1 ? undefined : []
}
