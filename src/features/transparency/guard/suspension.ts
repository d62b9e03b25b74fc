import { AppError } from '../../../platform/errors.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'

/** Why no history may be signed. */
export type BarReason =
  /** The database's tree is smaller than one that was signed. */
  | 'rolled-back'
  /** The database's tree is another one than was signed. */
  | 'forked'
  /** What remembers the newest checkpoint cannot be read. */
  | 'guard-unreadable'
  /** No witness has said yet how large a tree it has seen. */
  | 'guard-unknown'

/** Why nothing may be signed; `lagging`: leaves wait for longer than half of what receipts promise. */
export type SuspensionReason = BarReason | 'lagging'

const DETAILS: Readonly<Record<SuspensionReason, string>> = {
  'rolled-back':
    'The database holds less than was signed before. Nothing is signed until the operator has restored it or accepted the loss (llmring-server log accept-head).',
  forked:
    'The database holds another history than was signed before. Nothing is signed until the operator has decided (llmring-server log accept-head).',
  'guard-unreadable':
    'What remembers the newest checkpoint cannot be read. Nothing is signed until the operator has mended it.',
  'guard-unknown': 'No witness has said yet what it has seen of the log. Nothing is signed until one has.',
  lagging: 'Receipts wait too long for the log. No more are issued until it has caught up.',
}

export type Suspension = {
  reason(): SuspensionReason | null
  /** Whether the history itself is in question, and not only the speed. */
  isBarred(): boolean
  bar(reason: BarReason | null): void
  lag(isLagging: boolean): void
  /** Throws `log-suspended`. */
  refuse(): void
  refuseWhileBarred(): void
}

export function createSuspension(onChange: (reason: SuspensionReason | null) => void): Suspension {
  let barred: BarReason | null = null
  let lagging = false
  let last: SuspensionReason | null = null
  const reason = () => barred ?? (lagging ? 'lagging' : null)
  const changed = (): void => {
    if (reason() === last) return
    last = reason()
    onChange(last)
  }
  const refuseFor = (why: SuspensionReason | null): void => {
    if (why === null) return
    throw new AppError('log-suspended', DETAILS[why], { retryAfterSeconds: TRANSPARENCY_LIMITS.suspendedRetrySeconds })
  }
  return {
    reason,
    isBarred: () => barred !== null,
    bar: (why) => {
      barred = why
      changed()
    },
    lag: (isLagging) => {
      lagging = isLagging
      changed()
    },
    refuse: () => refuseFor(reason()),
    refuseWhileBarred: () => refuseFor(barred),
  }
}
