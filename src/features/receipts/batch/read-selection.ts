import { AppError } from '../../../platform/errors.js'
import { invalid } from '../refusal.js'
import type { SelectionInput } from './batch-schema.js'
import type { UsageLogs } from './logged-usage.js'
import type { Selection } from './select-usage.js'

const ONE_OF = 'Say what to certify: log_ids, start_date and end_date, or since_last_receipt; one of them.'

/** The calls that a request names. Throws `validation-failed` unless it names them in exactly one way. */
export function readSelection(input: SelectionInput, readPeriod: UsageLogs['readPeriod']): Selection {
  const { log_ids: ids, start_date: start, end_date: end, since_last_receipt: sinceLast } = input
  const hasPeriod = start != null || end != null
  if ([ids != null, hasPeriod, sinceLast === true].filter(Boolean).length !== 1)
    throw new AppError('validation-failed', ONE_OF)
  if (ids != null) return { kind: 'ids', ids }
  if (!hasPeriod) return { kind: 'since-last' }
  if (start == null) throw invalid('/start_date', 'is required with end_date')
  if (end == null) throw invalid('/end_date', 'is required with start_date')
  const read = readPeriod({ start, end })
  if (!read.ok) throw invalid(`/${read.field}`, read.message)
  return { kind: 'period', period: read.period }
}
