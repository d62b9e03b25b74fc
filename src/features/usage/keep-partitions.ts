import { describeError, type Logger } from '../../platform/logger.js'

const EVERY_MS = 3_600_000
const AGAIN_AFTER_FAILURE_MS = 10_000

export type Keeper = { start(): Promise<void>; close(): void }

/**
 * Does a task now and then once an hour; after a failure, which is logged, again in 10 s. The timer keeps no process
 * alive. `start` waits for the first time and never rejects: what exists goes on working without the task.
 */
export function createKeeper(task: () => Promise<unknown>, logger: Logger): Keeper {
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const run = async (): Promise<void> => {
    let nextMs = EVERY_MS
    try {
      await task()
    } catch (error) {
      nextMs = AGAIN_AFTER_FAILURE_MS
      logger.error({ error: describeError(error) }, 'could not look after the usage partitions; trying again')
    }
    if (closed) return
    timer = setTimeout(() => void run(), nextMs)
    timer.unref()
  }

  return {
    start: run,
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}
