import { type ChatUsage, estimateRequestTokens, type Members, NO_USAGE } from '../../../core/chat/index.js'
import type { Outcome } from '../../../core/routing/index.js'
import { UpstreamTrouble } from './trouble.js'

/** The tokens of a call that was not answered, and whether they are our own count. */
export type Spent = { readonly usage: ChatUsage; readonly isEstimated: boolean }

export const NOTHING_SPENT: Spent = { usage: NO_USAGE, isEstimated: false }

/** After these the upstream had the request, and may have worked on it: what it says with an error it does not charge. */
const MAY_BE_CHARGED: readonly Outcome['kind'][] = ['timeout', 'cut', 'garbage', 'cancelled', 'out-of-time']

/** What an attempt that failed may have used: what was seen of it, else the request as we count it, or nothing. */
export function spentOn(error: unknown, { body }: { readonly body: Members }): Spent {
  if (!(error instanceof UpstreamTrouble)) return NOTHING_SPENT
  if (error.seen !== null) return { usage: error.seen, isEstimated: true }
  if (!MAY_BE_CHARGED.includes(error.outcome.kind)) return NOTHING_SPENT
  const usage: ChatUsage = { ...NO_USAGE, input: estimateRequestTokens(body) }
  return { usage, isEstimated: true }
}
