import type { ProjectId } from '../../access/principal.js'
import { canonicalJson, isJsonObject, type JsonObject, parseStrictJson } from '../../core/json/index.js'
import type { LegacyVerdict, ReceiptReport } from '../../core/proof/index.js'
import { AppError } from '../../platform/errors.js'
import { invariant } from '../../platform/invariant.js'
import { type CheckDeps, checkReceipt } from './check-receipt.js'
import { idTaken } from './issue/issue-receipt.js'
import type { Keep } from './issue/keep-receipt.js'
import type { ProjectKeys } from './keys/client-keys.js'
import { isReachableId, UNREACHABLE_ID } from './reachable-id.js'
import { sameBytes } from './receipt.js'
import { invalid, refusePayload, refuseText } from './refusal.js'

export type StoreDeps = Omit<CheckDeps, 'projectKeys'> & {
  readonly findKeys: (projectId: ProjectId) => Promise<ProjectKeys>
  readonly issuer: string
  readonly keep: Keep
}

/** `legacy` is how the receipt holds if it does so only by the legacy rule. */
export type StoredReceipt = {
  readonly id: string
  readonly legacy: LegacyVerdict | null
  readonly canonical: Uint8Array
}

/**
 * Keeps a signed receipt, of either shape, out of the text `{"receipt": {…}}`. The text itself is read, since a parser
 * that merges members would hide what was signed. One that holds by the legacy rule only is kept as it was sent and
 * marked. Storing the same receipt again changes nothing; another one under its id throws `conflict`. Throws
 * `validation-failed` for what is no receipt and `receipt-not-verified` for one whose signature does not hold or that
 * we issued to another project.
 */
export async function storeReceipt(deps: StoreDeps, projectId: ProjectId, text: string): Promise<StoredReceipt> {
  const receipt = readBody(text)
  const report = await checkReceipt({ ...deps, projectKeys: () => deps.findKeys(projectId) }, receipt)
  const { receiptId: id, legacy } = report
  if (!report.valid && legacy === null) throw refuse(report)
  if (receipt['issuer'] === deps.issuer && receipt['project'] !== projectId) {
    throw new AppError('receipt-not-verified', 'The check "project" failed: it was issued here to another project.')
  }
  const canonical = canonicalJson(receipt)
  if (!canonical.ok) throw refusePayload(canonical)
  const keyId = report.keyId ?? legacy?.keyId ?? null
  invariant(id !== null && keyId !== null, 'a receipt that holds has an id and a key')
  if (!isReachableId(id))
    throw invalid(Object.hasOwn(receipt, 'id') ? '/receipt/id' : '/receipt/receipt_id', UNREACHABLE_ID)
  const outcome = await deps.keep({
    ...{ projectId, id, kind: 'stored', keyId, requestSha256: null, legacyRule: legacy?.rule ?? null },
    ...{ canonical: canonical.bytes, bytes: canonical.bytes.length },
  })
  if (outcome.status === 'taken' && !sameBytes(outcome.by.canonical, canonical.bytes)) {
    throw idTaken(id, outcome.by.canonical)
  }
  return { id, legacy, canonical: canonical.bytes }
}

function readBody(text: string): JsonObject {
  const parsed = parseStrictJson(text)
  if (!parsed.ok) throw refuseText(parsed)
  const receipt = isJsonObject(parsed.value) ? parsed.value['receipt'] : undefined
  if (!isJsonObject(receipt)) throw invalid('/receipt', 'must be an object')
  return receipt
}

/** The first check that failed decides: what is no receipt is not valid input, the rest does not verify. */
function refuse(report: ReceiptReport): AppError {
  const failed = report.checks.find((check) => !check.ok)
  invariant(failed !== undefined, 'an invalid receipt fails a check')
  if (failed.name === 'structure' || failed.name === 'canonical') {
    const errors = [{ pointer: '/receipt', message: failed.detail }]
    return new AppError('validation-failed', `/receipt: ${failed.detail}`, { errors })
  }
  return new AppError('receipt-not-verified', `The check "${failed.name}" failed: ${failed.detail}`)
}
