import { decimalFromPico, picoFromDecimal } from '../../../core/pricing/index.js'
import type { ChatCall } from '../call.js'
import type { CallSlot } from './account.js'

/** What is known of a call that was made, from its row. */
export type SavedRow = {
  readonly provider: string
  readonly model: string
  /** USD: what an answer in its place saves. */
  readonly cost: string
  readonly outcome: string
}
export type SavedDeps = {
  readonly keepRoom: (call: ChatCall) => CallSlot
  readonly clock: () => number
  readonly isDurable: boolean
  /** Keeps what is under way until it is over, and logs what goes wrong. */
  readonly keep: (work: Promise<void>) => void
}

/** The same room for rows, of which it is remembered what went in. */
export function watchSlot(keepRoom: SavedDeps['keepRoom']) {
  let seen: SavedRow | null = null
  return {
    row: () => seen,
    keepRoom: (call: ChatCall): CallSlot => {
      const slot = keepRoom(call)
      return {
        release: () => slot.release(),
        record: (observed) => {
          const recorded = slot.record(observed)
          const { provider, model, metadata } = observed
          const { outcome, saved_cost: saved } = JSON.parse(metadata) as { outcome: string; saved_cost?: string }
          seen = { provider, model, cost: together(recorded.row.cost, saved), outcome }
          return recorded
        },
      }
    },
  }
}

/** What the dearest backend would have cost: what was paid, and what the choice of a cheaper one saved. */
function together(paid: string, saved: string | undefined): string {
  if (saved === undefined) return paid
  return decimalFromPico((picoFromDecimal(paid) ?? 0n) + (picoFromDecimal(saved) ?? 0n))
}

/**
 * The row of a call that was answered without asking a backend: it costs nothing, and says what it saved. Its room is
 * taken at once. Throws `overloaded`.
 */
export function createSavedRow({ keepRoom, clock, isDurable, keep }: SavedDeps, call: ChatCall) {
  const slot = keepRoom(call)
  const startedAt = clock()
  let settled: Promise<void> | null = null
  const write = async (cache: string, from: SavedRow | null): Promise<void> => {
    // No call was made: there was no room for it.
    if (from === null) return slot.release()
    const outcome = call.signal.aborted ? 'cancelled' : from.outcome
    const said = { requested_model: call.requestedModel ?? null, outcome, attempts: 0, stream: call.isStream }
    const saved = outcome === 'answered' ? { saved_cost: from.cost } : {}
    const { committed } = slot.record({
      provider: from.provider,
      model: from.model,
      ...{ alias: call.alias, profile: call.profile, origin: 'gateway' },
      tokens: { input_tokens: 0, output_tokens: 0, cached_input_tokens: 0 },
      latencyMs: Math.max(0, Math.round((clock() - startedAt) * 1_000) / 1_000),
      costPico: 0n,
      isAwaited: isDurable,
      metadata: JSON.stringify({ ...said, estimated: false, cache, ...saved }),
    })
    keep(committed)
    if (isDurable) await committed
  }
  return {
    /** Writes the row of this caller; the second time does nothing. `from` is the call that was made, if one was. */
    settle: (cache: string, from: SavedRow | null): Promise<void> => {
      settled ??= write(cache, from)
      return settled
    },
  }
}
