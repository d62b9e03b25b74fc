import { AppError } from '../../../platform/errors.js'
import type { Period, PeriodResult } from '../period.js'

/** The period, or `validation-failed` that points at the query value to blame. */
export function acceptPeriod(result: PeriodResult): Period {
  if (result.ok) return result.period
  const pointer = `query/${result.field}`
  throw new AppError('validation-failed', `${pointer}: ${result.message}`, {
    errors: [{ pointer, message: result.message }],
  })
}
