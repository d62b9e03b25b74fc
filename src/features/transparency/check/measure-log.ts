import { monotonicClock } from '../../../platform/clock.js'
import type { Metrics } from '../../../platform/metrics.js'
import type { Suspension } from '../guard/suspension.js'
import type { Published } from '../published.js'
import type { Polled } from '../sequence/poll.js'

export type Measured = {
  readonly polled: () => Polled | null
  readonly published: Pick<Published, 'current'>
  readonly suspension: Pick<Suspension, 'reason'>
  readonly waiting: () => number
}

/** What an operator watches of the log. */
export function measureLog(metrics: Metrics, { polled, published, suspension, waiting }: Measured): void {
  const pending = 'Leaves that no checkpoint covers yet, as the last look found them (one a second).'
  metrics.gauge('llmring_log_pending_leaves', pending, () => polled()?.pending ?? 0)
  const waitingMs = 'How long the oldest of them had waited then.'
  metrics.gauge('llmring_log_waiting_seconds', waitingMs, () => (polled()?.waitingMs ?? 0) / 1000)
  const size = 'Leaves under the newest published checkpoint.'
  metrics.gauge('llmring_log_size', size, () => published.current()?.size ?? 0)
  const age = 'Since this instance learnt of the newest checkpoint.'
  metrics.gauge('llmring_log_checkpoint_age_seconds', age, () => {
    const current = published.current()
    return current === null ? 0 : (monotonicClock() - current.since) / 1000
  })
  const witnesses = 'Witnesses that cosigned the newest published checkpoint.'
  metrics.gauge('llmring_log_witnesses', witnesses, () => published.current()?.witnesses ?? 0)
  const suspended = '1 while nothing may be signed.'
  metrics.gauge('llmring_log_suspended', suspended, () => (suspension.reason() === null ? 0 : 1))
  metrics.gauge('llmring_log_waiting_requests', 'Requests that wait for a checkpoint.', waiting)
}
