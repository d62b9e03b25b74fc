import { canonicalJson } from '../json/index.js'
import type { ReadReceipt } from './receipt.js'

/**
 * Names how the last receipts of the Python server (November 2025) were signed. It stands in answers and in the
 * database, so its meaning never changes: the flat shape; the signature covers `timestamp` with `+00:00` if the
 * receipt was sent with `Z` (or, when it was read back from that server, without a zone); `receipt_type`,
 * `batch_summary`, `description` and `tags` were added after the signature; everything else is signed as it stands.
 */
export const legacyReceiptRule = 'llmring-server-2025-11'

const UNSIGNED_MEMBERS = ['receipt_type', 'batch_summary', 'description', 'tags'] as const
/** As that server wrote a time in UTC: whole seconds, or microseconds in all their six digits. */
const SENT_TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?)Z?$/

/** A receipt that does not verify as it stands, but does as it was signed. */
export interface LegacyVerdict {
  readonly rule: typeof legacyReceiptRule
  /** The key that it verified under. */
  readonly keyId: string
  /** The members that nothing vouches for: whoever passed the receipt on may have written them. */
  readonly unsignedMembers: readonly string[]
}

/** What was signed of a receipt if it is one of those: the bytes, and the members that they leave out. */
export interface LegacyReading {
  readonly bytes: Uint8Array
  readonly unsignedMembers: readonly string[]
}

/** The reading of a receipt by `legacyReceiptRule`; null for one that the rule does not speak of. */
export function readLegacy(read: ReadReceipt): LegacyReading | null {
  const { timestamp } = read.unsigned
  const match = typeof timestamp === 'string' && read.shape === 'flat' ? SENT_TIMESTAMP.exec(timestamp) : null
  if (match === null) return null
  const {
    receipt_type: _type,
    batch_summary: _summary,
    description: _description,
    tags: _tags,
    ...rest
  } = read.unsigned
  const signed = canonicalJson({ ...rest, timestamp: `${match[1]}+00:00` })
  if (!signed.ok) return null
  return { bytes: signed.bytes, unsignedMembers: UNSIGNED_MEMBERS.filter((name) => Object.hasOwn(read.unsigned, name)) }
}
