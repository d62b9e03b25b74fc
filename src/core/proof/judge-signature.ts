import type { VerifierDeps } from '../ed25519/index.js'
import type { JsonValue } from '../json/index.js'
import type { Check, CheckStatus } from './judgement.js'
import type { PinnedKey, PinnedKeys } from './key-document.js'
import type { ReceiptCheck } from './receipt-checks.js'
import type { ReceiptFacts } from './receipt-facts.js'
import { type ReceiptReport, verifyReceipt } from './verify-receipt.js'

/** How long after its key was retired a receipt may be issued: a rollout goes from instance to instance. */
const rolloutMsMax = 3_600_000

/** The checks of a receipt by itself: what every verifier of receipts checks, and whether its key was in use. */
export async function judgeSignature(
  deps: VerifierDeps,
  pinned: PinnedKeys | null,
  receipt: JsonValue,
  facts: ReceiptFacts | null,
): Promise<{ readonly checks: readonly Check[]; readonly report: ReceiptReport }> {
  const keys = new Map([...(pinned ?? [])].map(([keyId, { key }]) => [keyId, key]))
  const report = await verifyReceipt(deps, keys, receipt)
  const checks = report.checks.map((check) => asCheck(check, report, pinned))
  const signer = report.keyId === null ? undefined : pinned?.get(report.keyId)
  return { checks: [...checks, periodCheck(signer, facts)], report }
}

function asCheck({ name, ok, detail }: ReceiptCheck, report: ReceiptReport, pinned: PinnedKeys | null): Check {
  if (ok) return { name, status: 'passed', detail }
  if (name === 'key' && pinned === null && isRead(report)) {
    return { name, status: 'undecided', detail: 'No keys are pinned, so there is nothing to check the signature with.' }
  }
  if (name === 'signature' && report.legacy !== null) return legacyCheck(report.legacy)
  return { name, status: statusOf(name, report), detail }
}

/** A check that could not be reached says nothing; a key that is not known could be good or bad. */
function statusOf(name: ReceiptCheck['name'], report: ReceiptReport): CheckStatus {
  const isReached =
    name === 'signature' ? report.checks.every((check) => check.ok || check.name === name) : isRead(report)
  if (!isReached && name !== 'structure') return 'skipped'
  return name === 'key' ? 'undecided' : 'failed'
}

const isRead = (report: ReceiptReport): boolean => report.checks.some(({ name, ok }) => name === 'structure' && ok)

function legacyCheck({ rule, keyId, unsignedMembers }: NonNullable<ReceiptReport['legacy']>): Check {
  const unsigned = unsignedMembers.length === 0 ? '' : ` Nothing vouches for ${unsignedMembers.join(', ')}.`
  const detail = `Not as it stands; by the rule ${rule} it is signed with key ${JSON.stringify(keyId)}.${unsigned}`
  return { name: 'signature', status: 'undecided', detail }
}

function periodCheck(signer: PinnedKey | undefined, facts: ReceiptFacts | null): Check {
  const name = 'key-period'
  if (signer === undefined || facts === null) return { name, status: 'skipped', detail: 'No pinned key signed it.' }
  const { issuedAt } = facts
  if (issuedAt === null) return { name, status: 'skipped', detail: 'It does not say when it was issued.' }
  if (issuedAt === 'unreadable') return { name, status: 'failed', detail: 'Its issued_at is no instant.' }
  const { notBefore, notAfter } = signer
  if (notBefore !== null && issuedAt < notBefore) {
    return { name, status: 'failed', detail: `It was issued before its key was in use (${iso(notBefore)}).` }
  }
  if (notAfter !== null && issuedAt > notAfter + rolloutMsMax) {
    return { name, status: 'failed', detail: `It was issued after its key was retired (${iso(notAfter)}).` }
  }
  return { name, status: 'passed', detail: `Its key was in use at ${iso(issuedAt)}.` }
}

export function iso(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
