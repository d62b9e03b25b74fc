import { estimateRequestTokens, type Members } from '../../../core/chat/index.js'
import type { Demand } from '../../../core/routing/index.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** What a call is thought to need, for comparing what it would cost: its own tokens, and as many as it allows. */
export function demandOf({ body }: { readonly body: Members }): Demand {
  const allowed = body['max_completion_tokens'] ?? body['max_tokens']
  const tokensOut = typeof allowed === 'number' && allowed > 0 ? allowed : GATEWAY_LIMITS.outputTokensDefault
  return { tokensIn: estimateRequestTokens(body), tokensOut, tier: 1 }
}
