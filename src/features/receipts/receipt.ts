import type { ProjectId } from '../../access/principal.js'

/** A receipt that is to be kept: its signed canonical bytes, and what finds them again. */
export type NewReceipt = {
  readonly projectId: ProjectId
  readonly id: string
  /** `issued`: signed here for this project. `stored`: brought by the client. */
  readonly kind: 'issued' | 'stored'
  readonly keyId: string
  /** SHA-256 of the canonical request; null if the client chose no id, so that nothing can be asked for again. */
  readonly requestSha256: Uint8Array | null
  /** The rule by which it was taken although it does not verify as it stands; null for all others. */
  readonly legacyRule: string | null
  readonly canonical: Uint8Array
  /** Milliseconds since the epoch. */
  readonly storedAt: number
}

/** Where a receipt is: ids are the project's own. */
export type ReceiptIdentity = Pick<NewReceipt, 'projectId' | 'id'>

/** A receipt as it is kept. */
export type KeptReceipt = {
  readonly kind: 'issued' | 'stored'
  readonly requestSha256: Uint8Array | null
  readonly canonical: Uint8Array
}

/** A receipt as it is shown: the bytes that were signed, and the mark that stands beside them. */
export type ShownReceipt = Pick<NewReceipt, 'id' | 'legacyRule' | 'canonical'>

/**
 * A page of receipts, newest first; `total` counts all of the project. `isLast`: all receipts that were asked for are
 * here, or there are no more of them.
 */
export type ReceiptPage = {
  readonly total: number
  readonly receipts: readonly (ShownReceipt & { readonly storedAt: string })[]
  readonly isLast: boolean
}

/** True if both are there and hold the same bytes. */
export function sameBytes(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one !== null && other !== null && Buffer.compare(one, other) === 0
}
