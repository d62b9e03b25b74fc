import { describeError } from './logger.js'

/** What a job says of itself; a logger does. */
type JobLog = {
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
}

export type Job = {
  /** In the log, as what could not be done: 'look after the usage partitions'. */
  readonly name: string
  readonly run: () => unknown
  /** From the end of one run to the begin of the next, a tenth more or less: instances must not run all at once. */
  readonly pauseMs: number
  /** The same after a run that failed; `pauseMs` if absent. */
  readonly retryMs?: number
  readonly logger: JobLog
  /** 0 to 1, of which 0.5 means no deviation. */
  readonly random?: () => number
}

export type Periodic = {
  /** Runs at once; resolves when that run is over, and never rejects. */
  start(): Promise<void>
  /** Runs for the first time after a pause. */
  startLater(): void
  /** No run begins any more; resolves when the one under way is over, and never rejects. */
  stop(): Promise<void>
}

/**
 * A job that is done again and again, one run at a time. Of failures in a row the first is logged, and the run that
 * ends them. The timer keeps no process alive.
 */
export function every(job: Job): Periodic {
  const report = createReport(job)
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  let stopped = false

  const schedule = (isGood: boolean): void => {
    const ms = jittered(isGood ? job.pauseMs : (job.retryMs ?? job.pauseMs), job.random)
    if (!stopped) timer = setTimeout(begin, ms).unref()
  }
  const begin = (): void => {
    running = report(attempt(job.run)).then(schedule)
  }

  return {
    start: () => {
      begin()
      return running
    },
    startLater: () => schedule(true),
    stop: () => {
      stopped = true
      clearTimeout(timer)
      return running
    },
  }
}

/** Says of each outcome whether it is good, and logs those that differ from the one before. */
function createReport({ name, logger }: Job): (outcome: Promise<unknown>) => Promise<boolean> {
  let failures = 0
  return async (outcome) => {
    try {
      await outcome
      if (failures > 0) logger.info({ failures }, `could ${name} again`)
      failures = 0
      return true
    } catch (error) {
      failures += 1
      if (failures === 1) logger.warn({ error: describeError(error) }, `could not ${name}; trying again`)
      return false
    }
  }
}

async function attempt(run: () => unknown): Promise<unknown> {
  return run()
}

function jittered(ms: number, random: () => number = Math.random): number {
  return ms * (0.9 + 0.2 * random())
}
