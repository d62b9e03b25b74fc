import type { NoteSignature } from '../../../core/tlog/index.js'
import type { Clock } from '../../../platform/clock.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { Asked, Submitted } from './ask-witness.js'

export type LoopDeps = {
  readonly ask: (checkpoint: Submitted, signal: AbortSignal) => Promise<Asked>
  readonly onCosigned: (checkpoint: Submitted, lines: readonly NoteSignature[]) => Promise<void>
  readonly report: (asked: Asked) => void
  /** Whether this instance submits at this moment. What is offered while it does not, waits. */
  readonly mayAsk: () => boolean
  /** Milliseconds that never go back. */
  readonly now: Clock
  /** Resolves after so many milliseconds, or when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
}

export type WitnessLoop = {
  /** Gives the newest checkpoint. One that is older than what was given, or cosigned already, changes nothing. */
  offer(checkpoint: Submitted): void
  /** It may be this instance's turn to submit what waits. */
  resume(): void
  /** Since when every submission has failed, in milliseconds; null if the last one did not, or there was none. */
  failingSince(): number | null
  close(): Promise<void>
}

const NOT_FAILING = { count: 0, since: null }

/** Submits to one witness: one submission at a time, of the newest checkpoint, at most one a second, fewer if it fails. */
export function createWitnessLoop(deps: LoopDeps): WitnessLoop {
  const closing = new AbortController()
  let wanted: Submitted | null = null
  let cosignedSize = -1
  let failing: { readonly count: number; readonly since: number | null } = NOT_FAILING
  let running: Promise<void> | null = null

  const submit = async (checkpoint: Submitted): Promise<Asked> => {
    const asked = await deps.ask(checkpoint, closing.signal)
    if (!asked.ok) return asked
    cosignedSize = checkpoint.size
    await deps.onCosigned(checkpoint, asked.lines)
    return asked
  }
  const run = async (): Promise<void> => {
    while (wanted !== null && !closing.signal.aborted && deps.mayAsk()) {
      const checkpoint = wanted
      wanted = null
      const began = deps.now()
      const asked = await submit(checkpoint).catch(failureOf)
      if (closing.signal.aborted) return
      deps.report(asked)
      failing = asked.ok ? NOT_FAILING : { count: failing.count + 1, since: failing.since ?? began }
      if (!asked.ok) wanted ??= checkpoint
      await deps.pause(Math.max(began + pauseAfter(failing.count) - deps.now(), 0), closing.signal)
    }
  }

  const resume = (): void => {
    if (wanted === null || closing.signal.aborted || !deps.mayAsk()) return
    running ??= run().finally(() => {
      running = null
    })
  }

  return {
    resume,
    failingSince: () => failing.since,
    offer: (checkpoint) => {
      if (checkpoint.size <= cosignedSize || checkpoint.size < (wanted?.size ?? 0)) return
      wanted = checkpoint
      resume()
    },
    close: async () => {
      closing.abort()
      await running
    },
  }
}

function failureOf(error: unknown): Asked {
  const reason = error instanceof Error ? error.message : String(error)
  return { ok: false, reason, isContradicted: false }
}

function pauseAfter(failures: number): number {
  const { witnessPauseMs, witnessRetryMsMax } = TRANSPARENCY_LIMITS
  return Math.min(witnessPauseMs * 2 ** Math.min(failures, 16), witnessRetryMsMax)
}
