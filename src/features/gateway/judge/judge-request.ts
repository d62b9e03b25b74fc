import { listOf, type Members, membersOf } from '../../../core/chat/index.js'
import { type Asked, classify, learnedBounds, mixScores, type Tier, tierOf } from '../../../core/routing/index.js'

export type JudgeDeps = {
  readonly tier1Max: number
  readonly tier2Max: number
  /** The configured threshold, at which the bounds of the tiers are the configured ones. */
  readonly threshold: number
  /** How much a sidecar's score counts, 0 to 1. */
  readonly sidecarWeight: number
}

/** How hard a request seems to be, 0 to 100, and the tier that is for it. */
export type Judged = { readonly score: number; readonly tier: Tier }

/** `learned` is the project's threshold, `sidecar` the score of one, 0 to 1, if there is one. */
export function judgeRequest(deps: JudgeDeps, asked: Asked, learned: number, sidecar?: number): Judged {
  const score = mixScores(classify(asked).score, sidecar, deps.sidecarWeight)
  const tier = tierOf(score, learnedBounds(deps, learned, deps.threshold))
  return { score: Math.round(score), tier: asked.tools && tier === 1 ? 2 : tier }
}

/** What of a request, in either language, says how hard it is. */
export function shapeOf(body: Members): Asked {
  const messages = listOf(body['messages']).map(membersOf)
  const isSystem = ({ role }: Members): boolean => role === 'system' || role === 'developer'
  const said = messages.filter((message) => !isSystem(message))
  const system = [
    plainText(body['system']),
    ...messages.filter(isSystem).map(({ content }) => plainText(content)),
  ].join('')
  const texts = said.map(({ content }) => plainText(content))
  const lastOfUser = said.findLastIndex(({ role }) => role === 'user')
  return {
    ...{ system, prompt: texts[lastOfUser] ?? '', turns: said.length },
    chars: texts.reduce((sum, text) => sum + text.length, system.length),
    tools: listOf(body['tools']).length > 0 || listOf(body['functions']).length > 0,
    json: /^json/.test(String(membersOf(body['response_format'])['type'] ?? '')),
  }
}

/** A text, or the texts of a message's parts. */
function plainText(content: unknown): string {
  if (typeof content === 'string') return content
  return listOf(content)
    .map((part) => membersOf(part)['text'])
    .filter((text) => typeof text === 'string')
    .join('\n')
}
