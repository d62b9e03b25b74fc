import type { Clock } from '../../platform/clock.js'
import { WEBHOOK_LIMITS } from './limits.js'
import { retryPauseMs } from './retry-pause.js'
import type { Vault } from './seal-secret.js'
import type { Send, SendResult } from './send-delivery.js'
import { signDelivery } from './sign-delivery.js'
import type { Claim, Outcome } from './webhook.js'

export type DeliverDeps = {
  readonly vault: Pick<Vault, 'open'>
  readonly send: Send
  /** What the signed time is taken from. */
  readonly clock: Clock
  readonly userAgent: string
  readonly random: () => number
}

/** Makes one attempt at what was claimed, and says what became of it. Never rejects. */
export async function deliver(deps: DeliverDeps, claim: Claim, signal: AbortSignal): Promise<Outcome> {
  const { delivery, failures, url } = claim
  if (delivery === undefined) return { status: 'interrupted' }
  const failed = (reason: string, retryAfterSeconds = 0): Outcome => {
    const pauseMs = retryPauseMs(failures + 1, retryAfterSeconds, deps.random())
    return { status: 'failed', reason, pauseMs }
  }
  const secret = deps.vault.open(claim.projectId, claim.secret)
  if (secret === undefined) return failed('its secret cannot be decrypted; set the webhook again')
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': deps.userAgent,
    ...signDelivery(delivery, secret, deps.clock()),
  }
  const begunAt = performance.now()
  const result = await deps.send({ url, headers, body: delivery.body, signal })
  if (result.status === null) return signal.aborted ? { status: 'interrupted' } : failed(result.reason)
  return judge(result, performance.now() - begunAt, failed)
}

type Answered = Extract<SendResult, { readonly status: number }>

/** By the status: 2xx is a delivery, 410 asks for no more, and everything else (a redirect, too) is a failure. */
function judge(
  { status, retryAfterSeconds }: Answered,
  tookMs: number,
  failed: (reason: string, retryAfterSeconds: number) => Outcome,
): Outcome {
  if (status >= 200 && status < 300) return { status: 'delivered', slow: tookMs > WEBHOOK_LIMITS.slowMsMin }
  if (status === 410) return { status: 'gone' }
  return failed(`it answered with status ${status}`, retryAfterSeconds)
}
