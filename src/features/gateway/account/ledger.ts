import type { ChatCall } from '../call.js'
import { type CallEnd, type CallSlot, type EndedAt, type FailedAttempt, observe, type RecordedCall } from './account.js'

/** What is written down of one call: exactly one row, whatever becomes of it. */
export type Ledger = {
  /** One more backend is asked. */
  attempt(): void
  readonly attempts: () => number
  /** The backend that is asked failed, and had said what it used: it is told in the row if another one is asked. */
  fail(attempt: FailedAttempt): void
  /**
   * Writes the row; the second time does nothing. Resolves when the caller may have the last byte: at once, or after the
   * commit where that was asked for.
   */
  settle(at: EndedAt, end: CallEnd): Promise<void>
  readonly isSettled: () => boolean
  /** Whether the receipt that was asked for is issued. */
  readonly isCertified: () => boolean
}

/** Issues the receipt of a call. Throws what issuing throws. */
export type Certify = (call: ChatCall, at: EndedAt, end: CallEnd, row: RecordedCall) => Promise<void>

export type LedgerDeps = {
  readonly clock: () => number
  readonly isDurable: boolean
  /** Called with the row of a call that was answered whole; what it returns is waited for. */
  readonly certify: Certify
  /** Keeps what is under way until it is over, and logs what goes wrong. */
  readonly keep: (work: Promise<void>) => void
  readonly onUncertified: (error: unknown) => void
}

/** `onSettled` is called once the row is recorded in its slot. */
export function openLedger(deps: LedgerDeps, call: ChatCall, slot: CallSlot, onSettled: () => void): Ledger {
  const startedAt = deps.clock()
  let attempts = 0
  let lastFailed: FailedAttempt | null = null
  const failed: FailedAttempt[] = []
  let settled: Promise<void> | null = null
  let isCertified = false
  const write = async (at: EndedAt, end: CallEnd): Promise<void> => {
    const latencyMs = Math.max(0, Math.round((deps.clock() - startedAt) * 1_000) / 1_000)
    const certifies = call.receiptId !== null && end.outcome === 'answered'
    const isAwaited = deps.isDurable || certifies
    const { row, committed } = slot.record(observe(call, at, end, { attempts, failed, latencyMs, isAwaited }))
    deps.keep(committed)
    onSettled()
    if (isAwaited) await committed
    if (certifies) await certify(at, end, row)
  }
  // The answer is paid for: a receipt that cannot be issued does not take it away.
  const certify = async (at: EndedAt, end: CallEnd, row: RecordedCall): Promise<void> => {
    const issued = deps.certify(call, at, end, row).then(() => {
      isCertified = true
    })
    await issued.catch(deps.onUncertified)
  }
  return {
    attempt: () => {
      attempts += 1
      if (lastFailed !== null) failed.push(lastFailed)
      lastFailed = null
    },
    fail: (attempt) => {
      lastFailed = attempt
    },
    attempts: () => attempts,
    settle: (at, end) => {
      settled ??= write(at, end)
      return settled
    },
    isSettled: () => settled !== null,
    isCertified: () => isCertified,
  }
}
