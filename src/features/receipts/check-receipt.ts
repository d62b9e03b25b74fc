import type { VerifierDeps } from '../../core/ed25519/index.js'
import { isJsonObject, type JsonValue, parseStrictJson } from '../../core/json/index.js'
import { type ReceiptCheck, type ReceiptReport, verifyReceipt } from '../../core/proof/index.js'
import type { ProjectKeys } from './keys/client-keys.js'
import type { KeyRing } from './keys/key-ring.js'
import { describeStrictJson } from './refusal.js'

export type CheckDeps = {
  readonly verifier: VerifierDeps<boolean>
  readonly ring: Pick<KeyRing, 'known' | 'refresh'>
  /** The log's origin: what we say of who issued a receipt. */
  readonly issuer: string
  /** The keys of the project that asks; null for anyone else. Asked for only if ours do not fit. */
  readonly projectKeys: () => Promise<ProjectKeys | null>
}

/**
 * Whether the receipt in a JSON text is signed by a key that we list. A text that readers would take for different
 * documents (a member that occurs twice) is an invalid receipt. `{receipt: {…}}` is taken as well, since that is how a
 * receipt is stored. Throws only if the keys cannot be read.
 */
export async function checkReceiptText(deps: CheckDeps, text: string): Promise<ReceiptReport> {
  const parsed = parseStrictJson(text)
  if (parsed.ok) return checkReceipt(deps, unwrap(parsed.value))
  const structure: ReceiptCheck = { name: 'structure', ok: false, detail: describeStrictJson(parsed) }
  return { receiptId: null, valid: false, algorithm: 'Ed25519', keyId: null, checks: [structure], legacy: null }
}

/**
 * Whether a receipt is signed by a key that we list, or one that the asking project registered; if it might be a key
 * that we have not heard of, we look first.
 */
export async function checkReceipt(deps: CheckDeps, receipt: unknown): Promise<ReceiptReport> {
  const known = deps.ring.known()
  const report = verifyReceipt(deps.verifier, known, receipt)
  if (report.valid || report.legacy !== null || !mayBeAnotherKey(report, receipt)) return report
  const byProject = await checkByProject(deps, receipt)
  if (byProject !== null) return byProject
  await deps.ring.refresh()
  return deps.ring.known() === known ? report : verifyReceipt(deps.verifier, deps.ring.known(), receipt)
}

/** The verdict of the project's keys; null if none of them signed it. One of ours goes before one of the same name. */
async function checkByProject(deps: CheckDeps, receipt: unknown): Promise<ReceiptReport | null> {
  const keys = await deps.projectKeys()
  if (keys === null || keys.known.size === 0) return null
  const report = verifyReceipt(deps.verifier, keys.known, receipt)
  const keyId = report.keyId ?? report.legacy?.keyId ?? null
  if (keyId === null) return null
  const isOurs = isJsonObject(receipt) && receipt['issuer'] === deps.issuer
  const refusal = isOurs
    ? 'It says that it was issued here, and is signed with a key that only its project listed.'
    : keys.refusal(keyId, receipt)
  if (refusal === null) return report
  const checks = report.checks.map((check) => (check.name === 'key' ? { ...check, ok: false, detail: refusal } : check))
  return { ...report, valid: false, keyId: null, legacy: null, checks }
}

/** Sound but for the key: it names one that we do not know, or names none and fits none that we know. */
function mayBeAnotherKey(report: ReceiptReport, receipt: unknown): boolean {
  const failed = report.checks.filter((check) => !check.ok).map((check) => check.name)
  if (failed.some((name) => name !== 'key' && name !== 'signature')) return false
  return failed.includes('key') || !isJsonObject(receipt) || (receipt['key_id'] ?? null) === null
}

function unwrap(value: JsonValue): JsonValue {
  if (!isJsonObject(value) || Object.keys(value).length !== 1) return value
  const { receipt } = value
  return isJsonObject(receipt) ? receipt : value
}
