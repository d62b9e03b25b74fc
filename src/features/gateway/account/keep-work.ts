import { describeError, type Logger } from '../../../platform/logger.js'
import type { Metrics } from '../../../platform/metrics.js'

/** Work that no response waits for: it ends before the service does, and its failures are told. */
export function keepWork(logger: Logger, metrics: Metrics) {
  const under = new Set<Promise<void>>()
  const lost = metrics.counter('llmring_gateway_rows_lost_total', 'Calls whose usage row could not be written.')
  const keep = (work: Promise<void>): void => {
    const heard = work
      .catch((error: unknown) => {
        lost.increment()
        logger.error({ error: describeError(error) }, 'the usage row of a call could not be written')
      })
      .finally(() => under.delete(heard))
    under.add(heard)
  }
  return {
    keep,
    idle: async () => {
      while (under.size > 0) await Promise.all(under)
    },
  }
}
