import type { CheckpointView, Place } from './judge-log.js'
import { iso } from './judge-signature.js'
import type { Check } from './judgement.js'
import type { ReceiptFacts } from './receipt-facts.js'

/** A witness may see an entry this long after its receipt was issued: the promise of our log. */
const seenWithinMsMax = 60_000
/** How far the clocks of a log and of a witness may be apart. */
const clockSkewMsMax = 5_000

export type TimeEvidence = {
  readonly facts: ReceiptFacts
  readonly view: CheckpointView | null
  readonly place: Place | null
  /** Checkpoints that the auditor kept from earlier, judged by the same policy. */
  readonly kept: readonly CheckpointView[]
  /** Whether it does not matter when the receipt was issued. */
  readonly anyTime: boolean
}

type Finding = Pick<Check, 'status' | 'detail'>

/**
 * Whether the receipt was issued when it says (`issued-at`), and logged as soon as it promised (`merge-delay`). What
 * tells is the time at which a witness saw a tree with it, or a later tree without it: a single checkpoint that was
 * seen long after tells neither, and that is said.
 */
export function judgeTimes(evidence: TimeEvidence): readonly Check[] {
  const { issuedAt, mergeDelaySeconds } = evidence.facts
  if (issuedAt === null) return [skipped('issued-at', 'It does not say when it was issued.')]
  if (issuedAt === 'unreadable') {
    return [{ name: 'issued-at', status: 'failed', detail: 'Its issued_at is no instant.' }]
  }
  const issued = findTime(evidence, issuedAt, seenWithinMsMax)
  const checks: Check[] = [{ name: 'issued-at', ...issued }]
  if (mergeDelaySeconds === null) return [...checks, skipped('merge-delay', 'It promises no time.')]
  return [...checks, { name: 'merge-delay', ...findTime(evidence, issuedAt, mergeDelaySeconds * 1_000) }]
}

function findTime(evidence: TimeEvidence, issuedAt: number, withinMs: number): Finding {
  const { view, place, anyTime } = evidence
  if (view === null || place === null || !view.isSigned) return tell('skipped', 'Without a proof, no time tells.')
  const latest = issuedAt + withinMs + clockSkewMsMax
  const without = seenWithout(evidence, place.index, latest)
  if (without !== null) {
    const detail = `At ${iso(without)} a witness saw the log without it, and it says it was issued at ${iso(issuedAt)}.`
    return tell('failed', `${detail} Either it was dated back, or it was logged too late.`)
  }
  const { seenAt } = view
  if (seenAt === null) return tell('skipped', 'No pinned witness says when it saw this checkpoint.')
  // Cosignatures count whole seconds.
  if (seenAt + 1_000 + clockSkewMsMax < issuedAt) {
    const detail = `A witness saw it in the log at ${iso(seenAt)}, before it says it was issued (${iso(issuedAt)}).`
    return tell('failed', detail)
  }
  if (seenAt <= latest) return tell('passed', `Issued at ${iso(issuedAt)}, seen by a witness at ${iso(seenAt)}.`)
  const late = `Could not be decided: the checkpoint was seen at ${iso(seenAt)}, long after ${iso(issuedAt)}.`
  // Without enough witnesses that is the verdict already, and a policy that asks for none relies on no time of theirs.
  if (anyTime || !view.quorumMet || !view.asksWitnesses) return tell('skipped', late)
  return tell('undecided', `${late} A proof under an earlier checkpoint would tell.`)
}

/** When a kept and witnessed checkpoint of the same log, too small to hold the entry, was seen after `latest`. */
function seenWithout({ view, kept }: TimeEvidence, index: number, latest: number): number | null {
  const origin = view?.checkpoint?.origin
  const times = kept.flatMap(({ checkpoint, seenAt, isSigned }) => {
    const isOlder = isSigned && checkpoint?.origin === origin && checkpoint !== null && checkpoint.size <= index
    return isOlder && seenAt !== null && seenAt > latest ? [seenAt] : []
  })
  return times.length === 0 ? null : Math.max(...times)
}

const tell = (status: Check['status'], detail: string): Finding => ({ status, detail })
const skipped = (name: Check['name'], detail: string): Check => ({ name, status: 'skipped', detail })
