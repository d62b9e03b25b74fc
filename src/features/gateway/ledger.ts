import { type CallEnd, type CallSlot, type EndedAt, observe, type RecordedCall } from './account.js'
import type { ChatCall } from './call.js'

/** What is written down of one call: exactly one row, whatever becomes of it. */
export type Ledger = {
  /** One more backend is asked. */
  attempt(): void
  readonly attempts: () => number
  /**
   * Writes the row; the second time does nothing. Resolves when the caller may have the last byte: at once, or after the
   * commit where that was asked for.
   */
  settle(at: EndedAt, end: CallEnd): Promise<void>
  readonly isSettled: () => boolean
}

export type LedgerDeps = {
  readonly slot: CallSlot
  readonly clock: () => number
  readonly isDurable: boolean
  /** Called with the row of a call that was answered whole; what it returns is waited for. */
  readonly certify: ((call: ChatCall, at: EndedAt, end: CallEnd, row: RecordedCall) => Promise<void>) | null
  /** Keeps what is under way until it is over, and logs what goes wrong. */
  readonly keep: (work: Promise<void>) => void
  readonly onSettled: () => void
}

export function openLedger(deps: LedgerDeps, call: ChatCall): Ledger {
  const startedAt = deps.clock()
  let attempts = 0
  let settled: Promise<void> | null = null
  const write = async (at: EndedAt, end: CallEnd): Promise<void> => {
    const latencyMs = Math.max(0, Math.round((deps.clock() - startedAt) * 1_000) / 1_000)
    const { row, committed } = deps.slot.record(observe(call, at, end, { attempts, latencyMs }))
    deps.keep(committed)
    deps.onSettled()
    const isCertified = deps.certify !== null && end.outcome === 'answered'
    if (deps.isDurable || isCertified) await committed
    if (isCertified) await deps.certify?.(call, at, end, row)
  }
  return {
    attempt: () => {
      attempts += 1
    },
    attempts: () => attempts,
    settle: (at, end) => {
      settled ??= write(at, end)
      return settled
    },
    isSettled: () => settled !== null,
  }
}
