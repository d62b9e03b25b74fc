import { encodeBase64 } from '../../core/tlog/index.js'
import { monotonicClock } from '../../platform/clock.js'
import { CLI_LIMITS } from '../limits.js'
import type { Checked } from './check-log.js'
import type { MonitorVerdict } from './finding.js'

/** What one look came to, and when it began. */
export type Look = {
  readonly at: string
  readonly verdict: MonitorVerdict
  readonly checked?: Checked
  readonly why?: string
  /** The file with both signed notes. */
  readonly evidence?: string
}

const WORDS: Readonly<Record<MonitorVerdict, string>> = {
  good: 'good',
  bad: 'BAD',
  undecided: 'not decided',
  unwitnessed: 'consistent, but not witnessed enough',
}

export function renderLook({ at, verdict, checked, why, evidence }: Look): string {
  const head = `${at} ${WORDS[verdict]}: `
  if (checked === undefined) return `${head}${why}\n${evidence === undefined ? '' : `  evidence: ${evidence}\n`}`
  const { checkpoint, previousSize, witnesses, witnessedSize, derivedSize } = checked
  const growth = previousSize === null ? 'seen for the first time' : `consistent with ${previousSize} before`
  const derived = derivedSize === null ? '' : ', every tile derived from the entries'
  const names = witnesses.length === 0 ? 'no witness of the policy' : witnesses.join(', ')
  const seen = witnessedSize === checkpoint.size ? names : `${names} at ${witnessedSize} entries`
  return `${head}${checkpoint.origin} has ${checkpoint.size} entries, ${growth}${derived}; cosigned by ${seen}\n`
}

export function renderLookJson({ at, verdict, checked, why, evidence }: Look): string {
  const found = checked === undefined ? { why, evidence } : membersOf(checked)
  return `${JSON.stringify({ at, verdict, ...found })}\n`
}

const membersOf = ({ checkpoint, previousSize, witnesses, witnessedSize, quorumMet, derivedSize }: Checked) => ({
  origin: checkpoint.origin,
  size: checkpoint.size,
  root: encodeBase64(checkpoint.root),
  previous_size: previousSize,
  witnesses,
  witnessed_size: witnessedSize,
  quorum_met: quorumMet,
  derived_size: derivedSize,
})

/** How far a derivation is, on standard error: in one place on a terminal, elsewhere a line now and then. */
export function showDerived(): (derived: number, size: number) => void {
  const terminal = process.stderr.isTTY === true
  const everyMs = terminal ? CLI_LIMITS.terminalProgressMs : CLI_LIMITS.lineProgressMs
  let shownAt = monotonicClock()
  return (derived, size) => {
    const isDone = terminal && derived === size
    if (!isDone && monotonicClock() - shownAt < everyMs) return
    shownAt = monotonicClock()
    const text = `derived ${derived.toLocaleString('en-US')} of ${size.toLocaleString('en-US')} entries`
    process.stderr.write(terminal ? `\r${text}${isDone ? '\n' : ''}` : `${text} …\n`)
  }
}
