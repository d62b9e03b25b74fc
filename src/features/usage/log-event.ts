import type { ProjectId } from '../../access/principal.js'
import { decimalFromPico, numberFromPico } from '../../core/pricing/index.js'
import { classifyFailure } from '../../db/failure.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { NewId } from '../../platform/ids.js'
import type { EventCost, UsageEvent, UsageRow } from './event.js'
import { type FindPrice, priceEvent } from './price-event.js'

/** Waits, bounded, for the first registry; false where there is none yet. */
export type RegistryLoaded = () => Promise<boolean>

export type LogDeps = {
  readonly clock: Clock
  readonly newId: NewId
  readonly findPrice: FindPrice
  readonly registryLoaded: RegistryLoaded
  /** Resolves after the row's commit. Rejects with a database failure of the row's own, or an `AppError`. */
  readonly submit: (row: UsageRow) => Promise<void>
  /** Told after a row without a price was committed although a registry is there by now. */
  readonly onPriceable: () => void
}

export type LogInput = { readonly projectId: ProjectId; readonly keyId: string | null; readonly event: UsageEvent }

export type LoggedUsage = {
  readonly log_id: string
  readonly cost: number
  readonly timestamp: string
  readonly cost_status: EventCost['status']
  readonly cost_decimal: string
  readonly computed_cost: string | null
  readonly reported_cost: string | null
}

/**
 * Prices an event and records it. Answers after the commit. Throws `validation-failed` if the database refuses the
 * event itself, `overloaded` and `database-unavailable` if it was not written (or, as the detail says, may have been).
 */
export async function logEvent(deps: LogDeps, input: LogInput): Promise<LoggedUsage> {
  const { event } = input
  let found = deps.findPrice(event.provider, event.model)
  if (found.status === 'no_registry' && (await deps.registryLoaded())) {
    found = deps.findPrice(event.provider, event.model)
  }
  const row = createRow(deps, input, priceEvent(found, event))
  try {
    await deps.submit(row.stored)
  } catch (error) {
    if (error instanceof AppError || classifyFailure(error) !== 'data') throw error
    throw new AppError('validation-failed', 'The database refuses a value of this event; nothing was written.')
  }
  if (found.status === 'no_registry' && deps.findPrice(event.provider, event.model).status !== 'no_registry') {
    // The registry came while the row was under way, so whoever priced the waiting rows did not see this one.
    deps.onPriceable()
  }
  return row.answer
}

function createRow(deps: LogDeps, input: LogInput, cost: EventCost): { stored: UsageRow; answer: LoggedUsage } {
  const nowMs = deps.clock()
  const decimal = decimalFromPico(cost.costPico)
  const stored: UsageRow = {
    projectId: input.projectId,
    keyId: input.keyId,
    id: deps.newId(nowMs),
    loggedAt: new Date(nowMs).toISOString(),
    event: input.event,
    cost: decimal,
    computedCost: cost.computedPico === null ? null : decimalFromPico(cost.computedPico),
    reportedCost: cost.reportedPico === null ? null : decimal,
    status: cost.status,
    registryVersion: cost.registryVersion,
    unitPrices: cost.unitPrices,
  }
  const answer = {
    log_id: stored.id,
    cost: numberFromPico(cost.costPico),
    timestamp: stored.loggedAt,
    cost_status: stored.status,
    cost_decimal: decimal,
    computed_cost: stored.computedCost,
    reported_cost: stored.reportedCost,
  }
  return { stored, answer }
}
