import { classifyFailure } from '../../../db/failure.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { SentEvent, UsageRow } from '../event.js'
import { bothKeys, keyReused } from './idempotency-key.js'
import { type PrepareDeps, type PreparedEvent, prepareEvent, type Sender } from './prepare-event.js'
import type { Recorded } from './settle-replays.js'

/** Waits, bounded, for the first registry; false where there is none yet. */
export type RegistryLoaded = () => Promise<boolean>

export type LogDeps = PrepareDeps & {
  readonly clock: Clock
  readonly registryLoaded: RegistryLoaded
  /** Resolves after the row's commit. Rejects with a database failure of the row's own, or an `AppError`. */
  readonly submit: (row: UsageRow) => Promise<Recorded>
  /** Told after a row without a price was committed although a registry is there by now. */
  readonly onPriceable: () => void
}

export type LogInput = Sender & { readonly sent: SentEvent; readonly headerKey: string | null }

/**
 * Prices an event and records it. Answers after the commit, with the JSON text of `LoggedUsage`: for a key that was used
 * before, the first one. Throws `validation-failed` if the database refuses the event itself, `idempotency-key-reused`
 * if its key came with another event, `overloaded` and `database-unavailable` if it was not written (or, as the detail
 * says, may have been).
 */
export async function logEvent(deps: LogDeps, { sent, headerKey, ...sender }: LogInput): Promise<string> {
  if (headerKey !== null && sent.idempotencyKey !== null) throw bothKeys()
  const key = headerKey ?? sent.idempotencyKey
  const name = key === null ? null : { key, item: 0 }
  const prepare = () => prepareEvent(deps, sender, sent, name, deps.clock())
  const prepared = prepare()
  if (!prepared.isUnpriced) return (await recordEvent(deps, prepared)).answer
  await deps.registryLoaded()
  return (await recordEvent(deps, prepare())).answer
}

/** Waits for the first registry if one of these events cannot be priced without. */
export async function waitForRegistry(
  deps: Pick<LogDeps, 'findPrice' | 'registryLoaded'>,
  events: readonly SentEvent[],
): Promise<void> {
  const waits = events.some(({ event }) => deps.findPrice(event.provider, event.model).status === 'no_registry')
  if (waits) await deps.registryLoaded()
}

export type RecordedEvent = { readonly answer: string; readonly isReplayed: boolean }

/** Writes a prepared event. Throws as `logEvent` does. */
export function recordEvent(
  deps: Pick<LogDeps, 'submit' | 'findPrice' | 'onPriceable'>,
  prepared: PreparedEvent,
): Promise<RecordedEvent> {
  // One step behind the commit: as three asynchronous functions it was a tenth of what recording an event cost.
  return deps.submit(prepared.row).then((recorded) => settle(deps, prepared, recorded), refuseOwnFault)
}

function settle(
  deps: Pick<LogDeps, 'findPrice' | 'onPriceable'>,
  { row, answer, isUnpriced }: PreparedEvent,
  recorded: Recorded,
): RecordedEvent {
  if (recorded.status === 'failed') return refuseOwnFault(recorded.error)
  const { event, mark } = row
  if (isUnpriced && deps.findPrice(event.provider, event.model).status !== 'no_registry') {
    // The registry came while the row was under way, so whoever priced the waiting rows did not see this one.
    deps.onPriceable()
  }
  if (recorded.status === 'written') return { answer, isReplayed: false }
  if (recorded.answer === null || recorded.sha256 !== mark?.sha256) throw keyReused()
  return { answer: recorded.answer, isReplayed: true }
}

function refuseOwnFault(error: unknown): never {
  if (error instanceof AppError || classifyFailure(error) !== 'data') throw error
  throw new AppError('validation-failed', 'The database refuses a value of this event; nothing was written.')
}
