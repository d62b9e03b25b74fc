import type { ProjectId } from '../../../access/principal.js'
import { decimalFromPico } from '../../../core/pricing/index.js'
import { AppError } from '../../../platform/errors.js'
import type { NewId } from '../../../platform/ids.js'
import type { SentEvent, UsageMark, UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { type FindPrice, priceEvent } from '../price/price-event.js'
import { fingerprint } from './fingerprint.js'

/** Whose event it is, and by what key it is known, if any. */
export type Sender = { readonly projectId: ProjectId; readonly keyId: string | null }
export type MarkName = Pick<UsageMark, 'key' | 'item'>

export type PrepareDeps = { readonly newId: NewId; readonly findPrice: FindPrice }

/** An event that can be written, and the JSON text that its caller gets then. */
export type PreparedEvent = {
  readonly row: UsageRow
  readonly answer: string
  readonly isUnpriced: boolean
}

const DAY_MS = 86_400_000

/**
 * Prices an event and makes its row. `nowMs` is when it came. Throws `validation-failed` if it says that it happened in
 * the future, or too long ago.
 */
export function prepareEvent(
  deps: PrepareDeps,
  { projectId, keyId }: Sender,
  sent: SentEvent,
  name: MarkName | null,
  nowMs: number,
): PreparedEvent {
  const { event } = sent
  const found = deps.findPrice(event.provider, event.model)
  const cost = priceEvent(found, event)
  const { costPico, computedPico, reportedPico } = cost
  const costText = decimalFromPico(costPico)
  const textOf = (pico: bigint | null) => (pico === null ? null : pico === costPico ? costText : decimalFromPico(pico))
  const loggedAt = timeText(happenedAt(sent, nowMs))
  const answered = {
    id: deps.newId(nowMs),
    loggedAt,
    cost: costText,
    computedCost: textOf(computedPico),
    reportedCost: textOf(reportedPico),
    status: cost.status,
  }
  const answer = answerOf(answered)
  // Each member is named: with spreads between them this object was a third of what preparing an event costs.
  const row: UsageRow = {
    projectId,
    keyId,
    id: answered.id,
    loggedAt,
    event,
    cost: costText,
    computedCost: answered.computedCost,
    reportedCost: answered.reportedCost,
    status: cost.status,
    registryVersion: cost.registryVersion,
    unitPrices: cost.unitPrices,
    mark:
      name === null
        ? undefined
        : { key: name.key, item: name.item, sha256: fingerprint(sent), answer, markedAt: timeText(nowMs) },
  }
  return { row, answer, isUnpriced: found.status === 'no_registry' }
}

type Answered = Pick<UsageRow, 'id' | 'loggedAt' | 'cost' | 'computedCost' | 'reportedCost' | 'status'>

/** The JSON text of `LoggedUsage`. What is put together here has no character that JSON would escape. */
function answerOf({ id, loggedAt, status, cost, computedCost, reportedCost }: Answered): string {
  // The number is read as `numberFromPico` reads it.
  const amounts = `"cost_decimal":"${cost}","computed_cost":${quoted(computedCost)},"reported_cost":${quoted(reportedCost)}`
  return `{"log_id":"${id}","cost":${Number(cost)},"timestamp":"${loggedAt}","cost_status":"${status}",${amounts}}`
}

const quoted = (decimal: string | null) => (decimal === null ? 'null' : `"${decimal}"`)

let lastMs = Number.NaN
let lastText = ''

/** The events of a batch, and of a busy millisecond, have the same time. */
function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastText
}

function happenedAt({ happenedMs }: SentEvent, nowMs: number): number {
  if (happenedMs === null) return nowMs
  const { futureMsMax, pastDaysMax } = USAGE_LIMITS
  if (happenedMs > nowMs + futureMsMax) throw refused(`must not be more than ${futureMsMax / 60_000} minutes ahead`)
  if (happenedMs < nowMs - pastDaysMax * DAY_MS) throw refused(`must not be more than ${pastDaysMax} days ago`)
  return happenedMs
}

function refused(message: string): AppError {
  const pointer = '/timestamp'
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
