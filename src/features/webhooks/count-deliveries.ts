import type { ProjectId } from '../../access/principal.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Claim, Outcome, Settled } from './webhook.js'

/** Counts attempts by their outcome, and the deliveries that are given up by the reason; says the latter in the log. */
export function countDeliveries(metrics: Metrics, logger: Logger) {
  const attempts = metrics.counters('llmring_webhook_attempts_total', 'Attempts to deliver, by what became of them.', [
    'outcome',
  ])
  const dropped = metrics.counters('llmring_webhook_dropped_total', 'Deliveries that were given up, and why.', [
    'reason',
  ])
  const byOutcome = {
    delivered: attempts.series({ outcome: 'delivered' }),
    failed: attempts.series({ outcome: 'failed' }),
    gone: attempts.series({ outcome: 'gone' }),
    interrupted: attempts.series({ outcome: 'interrupted' }),
  }
  const byReason = {
    expired: dropped.series({ reason: 'expired' }),
    gone: dropped.series({ reason: 'gone' }),
    overflow: dropped.series({ reason: 'overflow' }),
  }
  const drop = (projectId: ProjectId, reason: keyof typeof byReason, deliveries: number): void => {
    if (deliveries === 0) return
    byReason[reason].increment(deliveries)
    logger.warn({ project_id: projectId, reason, deliveries }, 'webhook deliveries were given up')
  }
  return {
    settled: ({ projectId }: Claim, { status }: Outcome, { dropped: deliveries }: Settled): void => {
      byOutcome[status].increment(1)
      drop(projectId, status === 'gone' ? 'gone' : 'expired', deliveries)
    },
    overflowed: (projectId: ProjectId, deliveries: number): void => drop(projectId, 'overflow', deliveries),
  }
}
