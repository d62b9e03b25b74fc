import { isJsonObject, type JsonValue } from '../json/index.js'
import type { Policy, ProofDeps, Sha256 } from '../tlog/index.js'
import { entryName } from './audit-package.js'
import type { History } from './history.js'
import { type CheckpointView, judgeInclusion, judgeOrigin, type Place } from './judge-log.js'
import { iso, judgeSignature } from './judge-signature.js'
import { judgeTimes } from './judge-times.js'
import { type Check, type Verdict, verdictOf } from './judgement.js'
import type { PinnedKeys } from './key-document.js'
import { entryOf, type ReceiptFacts, readFacts } from './receipt-facts.js'
import { verifyMembership } from './verify-membership.js'

/** Whom the auditor relies on, and what the auditor knows and wants. */
export type AuditTerms = {
  readonly keys: PinnedKeys | null
  readonly policy: Policy | null
  /** The public id of the project that receipts have to be of; null for any. */
  readonly project: string | null
  /** Whether it does not matter when a receipt was issued. */
  readonly anyTime: boolean
  /** Checkpoints that were kept from earlier. */
  readonly kept: readonly CheckpointView[]
  readonly history: History
}

/** A receipt, and what was shown with it. */
export type Evidence = {
  readonly receipt: JsonValue
  readonly view: CheckpointView | null
  readonly place: Place | null
  /** The proof of one member of a batch receipt, as it was given; undefined for none. */
  readonly member?: JsonValue | undefined
}

export type ReceiptJudgement = {
  readonly receiptId: string | null
  readonly project: string | null
  readonly seq: number | null
  /** RFC 3339. */
  readonly issuedAt: string | null
  /** "sha256:" and the hexadecimal digits of its log entry. */
  readonly entry: string | null
  readonly erased: boolean
  readonly verdict: Verdict
  readonly checks: readonly Check[]
}

/**
 * Judges one receipt by everything that can be said of it offline. Hostile input makes a verdict, never an exception;
 * throws only what the verifier throws. `further` are checks that were made of it already.
 */
export async function judgeReceipt(
  deps: ProofDeps,
  terms: AuditTerms,
  { receipt, view, place, member }: Evidence,
  further: readonly Check[] = [],
): Promise<ReceiptJudgement> {
  const facts = isJsonObject(receipt) ? readFacts(receipt) : null
  const { checks: signature, report } = await judgeSignature(deps, terms.keys, receipt, facts)
  const entry = facts === null ? null : entryOf(deps.sha256, receipt)
  const log = facts === null ? [] : [judgeOrigin(facts, terms.policy, view)]
  const times = facts === null ? [] : judgeTimes({ ...terms, facts, view, place })
  const contradictions = [
    view?.isSigned && view.checkpoint !== null ? terms.history.checkpoint(view.checkpoint) : null,
    report.valid && facts !== null && entry !== null ? terms.history.receipt(facts, entry) : null,
  ].filter((check) => check !== null)
  const checks = [
    ...further,
    ...signature,
    ...(terms.project === null || facts === null ? [] : [projectCheck(terms.project, facts)]),
    ...log,
    ...(view?.checks ?? []),
    ...(further.some(({ name }) => name === 'inclusion') ? [] : [judgeInclusion(deps.sha256, entry, view, place)]),
    ...times,
    ...(member === undefined ? [] : [memberCheck(deps.sha256, receipt, member)]),
    ...contradictions,
  ]
  return describe(report.receiptId, facts, entry, checks)
}

/** Judges the line of an erased receipt: only its entry is left, and its places in the log and in the chain. */
export function judgeErased(
  deps: ProofDeps,
  { entry, view, place }: { readonly entry: Uint8Array; readonly view: CheckpointView; readonly place: Place | null },
  further: readonly Check[],
): ReceiptJudgement {
  const checks = [...further, ...view.checks, judgeInclusion(deps.sha256, entry, view, place)]
  return { ...describe(null, null, entry, checks), erased: true }
}

function describe(
  receiptId: string | null,
  facts: ReceiptFacts | null,
  entry: Uint8Array | null,
  checks: readonly Check[],
): ReceiptJudgement {
  const issuedAt = facts?.issuedAt
  return {
    receiptId,
    project: facts?.project ?? null,
    seq: facts?.seq ?? null,
    issuedAt: typeof issuedAt === 'number' ? iso(issuedAt) : null,
    entry: entry === null ? null : entryName(entry),
    erased: false,
    verdict: verdictOf(checks),
    checks,
  }
}

function projectCheck(wanted: string, { project }: ReceiptFacts): Check {
  const name = 'project'
  if (project === wanted) return { name, status: 'passed', detail: `It was issued to ${wanted}.` }
  const detail = project === null ? 'It names no project.' : `It was issued to ${project}, not to ${wanted}.`
  return { name, status: 'failed', detail }
}

function memberCheck(sha256: Sha256, receipt: JsonValue, member: JsonValue): Check {
  const name = 'members'
  const verdict = verifyMembership(sha256, receipt, member)
  if (!verdict.ok) return { name, status: 'failed', detail: `It does not commit to this call (${verdict.reason}).` }
  const id = verdict.member['log_id']
  return { name, status: 'passed', detail: `It commits to call ${JSON.stringify(id ?? verdict.index)}.` }
}
