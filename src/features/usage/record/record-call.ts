import { setTimeout as pause } from 'node:timers/promises'
import { checkTokens, type TokenCounts } from '../../../core/pricing/index.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { Room } from '../../../platform/grouping.js'
import { invariant } from '../../../platform/invariant.js'
import type { UsageEvent, UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { recordEvent } from './log-event.js'
import { type PrepareDeps, type PreparedEvent, prepareEvent, type Sender } from './prepare-event.js'
import type { Recorded } from './settle-replays.js'

/** A call of a model that this service made itself. */
export type ObservedCall = {
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly origin: string | null
  readonly tokens: TokenCounts
  readonly latencyMs: number
  /** What it cost, in pico-USD, if that is known better than the registry knows it. */
  readonly costPico: bigint | null
  /** A JSON object as text. */
  readonly metadata: string
  /** Whether a response waits for the commit: otherwise the row waits a moment for others. */
  readonly isAwaited: boolean
}

/** What was recorded of a call. Money is US dollars with 12 places. */
type RecordedCall = Pick<UsageRow, 'id' | 'loggedAt' | 'cost' | 'status' | 'registryVersion' | 'unitPrices'>

/** Room for the row of one call. One of the two is called, once. */
export type CallSlot = {
  /** Prices and queues the row. `committed` resolves when it is in the database, and rejects when it was given up. */
  record(call: ObservedCall): { readonly row: RecordedCall; readonly committed: Promise<void> }
  release(): void
}

export type RecordCallDeps = PrepareDeps & {
  readonly clock: Clock
  readonly keepRoom: (projectId: Sender['projectId'], bytes: number) => Room<UsageRow, Recorded>
  readonly submit: (row: UsageRow) => Promise<Recorded>
  readonly rowBytes: (row: UsageRow) => number
  readonly onPriceable: () => void
  /** How often, and how soon again, a row is submitted that the database did not take. */
  readonly attemptsMax?: number
  readonly retryMs?: number
}

/**
 * Keeps room for a row before the call that it tells of. Throws `overloaded` if there is none: a call that could not be
 * accounted for is not made.
 */
export function keepCallRoom(deps: RecordCallDeps, sender: Sender): CallSlot {
  const room = deps.keepRoom(sender.projectId, USAGE_LIMITS.reservedRowBytes)
  return {
    release: room.release,
    record: (call) => {
      const prepared = prepareEvent(deps, sender, { event: eventOf(call), ...NOW }, null, deps.clock())
      const { id, loggedAt, cost, status, registryVersion, unitPrices } = prepared.row
      const committed = commit(deps, room, prepared, call.isAwaited)
      return { row: { id, loggedAt, cost, status, registryVersion, unitPrices }, committed }
    },
  }
}

const NOW = { idempotencyKey: null, happenedMs: null }

function eventOf({ costPico, isAwaited: _, ...call }: ObservedCall): UsageEvent {
  const checked = checkTokens(call.tokens)
  invariant(checked.ok, 'the counts of an observed call are consistent')
  const names = { idAtOrigin: null, conversationId: null }
  return { ...call, ...names, parts: checked.parts, reportedPico: costPico }
}

/**
 * Until the row is in the database: its answer is out already, so there is nothing left that could be refused. The row
 * keeps its id, so that one whose outcome was unknown is not written twice: the second one is refused as it stands.
 */
async function commit(
  deps: RecordCallDeps,
  room: Room<UsageRow, Recorded>,
  prepared: PreparedEvent,
  isAwaited: boolean,
): Promise<void> {
  const { attemptsMax = USAGE_LIMITS.observedAttemptsMax, retryMs = USAGE_LIMITS.observedRetryMs } = deps
  const first = (row: UsageRow) => room.submit(row, deps.rowBytes(row), isAwaited)
  for (let attempt = 1; ; attempt += 1) {
    try {
      await recordEvent({ ...deps, submit: attempt === 1 ? first : deps.submit }, prepared)
      return
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === 'validation-failed'
      if (isRefused && attempt > 1) return
      if (isRefused || attempt >= attemptsMax) throw error
      await pause(retryMs)
    }
  }
}
