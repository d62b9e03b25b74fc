import type { ProjectId } from '../../access/principal.js'
import type { ChainPlace } from '../../core/proof/index.js'

/** What finds a receipt again, whatever its bytes will be. */
type ReceiptMarks = {
  readonly projectId: ProjectId
  readonly id: string
  readonly keyId: string
  /** SHA-256 of the canonical request; null if the client chose no id, so that nothing can be asked for again. */
  readonly requestSha256: Uint8Array | null
  /** The rule by which it was taken although it does not verify as it stands; null for all others. */
  readonly legacyRule: string | null
}

/**
 * A receipt that is to be kept. One that is issued here is signed once its place in the project's chain is known; one
 * that the client brings is signed already, and has no place there.
 */
export type Candidate = ReceiptMarks & {
  /** About what it occupies. */
  readonly bytes: number
} & (
    | { readonly kind: 'issued'; readonly isIdChosen: boolean; readonly seal: (at: ChainPlace) => Uint8Array }
    | { readonly kind: 'stored'; readonly canonical: Uint8Array }
  )

/** One that is issued here. */
export type IssuedCandidate = Candidate & { readonly kind: 'issued' }

/** A receipt as it is written down. */
export type NewReceipt = ReceiptMarks & {
  /** `issued`: signed here for this project. `stored`: brought by the client. */
  readonly kind: 'issued' | 'stored'
  readonly canonical: Uint8Array
  /** Milliseconds since the epoch. */
  readonly storedAt: number
  /** Its place among those that were issued to the project, from 1 on; null for a stored one. */
  readonly seq: number | null
  /** SHA-256 of `canonical`, what the log holds of it. */
  readonly entry: Uint8Array
}

/** The end of a project's chain, as its row says while it is locked. */
export type ChainHead = {
  readonly projectId: ProjectId
  readonly lastSeq: number
  /** 64 hex digits; null before the first. */
  readonly lastEntry: string | null
  /** Milliseconds since the epoch; null before the first. */
  readonly lastIssuedAt: number | null
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
