import { formatSignature, signatureBytes } from '../ed25519/index.js'
import { type CanonicalRefusal, canonicalBytesMax, canonicalRuns, type JsonObject } from '../json/index.js'
import { type SignDeps, signatureMember, signatureMemberBytes } from './sign-receipt.js'

/** A receipt that lacks its place in the chain and its signature, and nothing that could still be refused. */
export interface ReceiptDraft {
  /** The canonical members around those of `PLACED`. */
  readonly runs: readonly string[]
  /** What the receipt takes at most once it is placed and signed. */
  readonly bytesMax: number
}

/** A receipt's place among those of its project. */
export interface ChainPlace {
  /** From 1 on, without a gap. */
  readonly seq: number
  /** The log entry of the receipt before it, 64 hex digits; null for the first. */
  readonly prev: string | null
  /** Milliseconds since the epoch, never before that of the receipt before it. */
  readonly issuedAt: number
}

/** Sorted, as RFC 8785 puts them. */
const PLACED = ['issued_at', 'prev', 'seq', 'signature'] as const

const utf8 = new TextEncoder()
const LONGEST: ChainPlace = { seq: Number.MAX_SAFE_INTEGER, prev: 'f'.repeat(64), issuedAt: 0 }

export type DraftResult = { readonly ok: true; readonly draft: ReceiptDraft } | CanonicalRefusal

/**
 * Does all of a receipt's serialising that its place does not change, and refuses all that could be refused: what is
 * drafted can be signed at any place (RFC 8785; `canonicalBytesMax` holds with the longest one).
 */
export function draftReceipt(unplaced: JsonObject): DraftResult {
  const split = canonicalRuns(unplaced, PLACED)
  if (!split.ok) return split
  const bytesMax = placeBytesMax + split.runs.reduce((sum, run) => sum + (run === '' ? 0 : bytesOf(run) + 1), 0)
  if (bytesMax > canonicalBytesMax) return { ok: false, reason: 'too-large', pointer: '' }
  return { ok: true, draft: { runs: split.runs, bytesMax } }
}

/**
 * Signs a draft at its place, over its RFC 8785 bytes. Gives the canonical bytes *with* the signature: what is stored,
 * logged and returned. Throws if the signer gives anything but 64 bytes.
 */
export function sealReceipt({ sign }: SignDeps, draft: ReceiptDraft, at: ChainPlace): Uint8Array {
  const { head, tail } = place(draft, at)
  const signature = sign(utf8.encode(head + tail))
  if (signature.length !== signatureBytes) throw new Error('A signer gives 64 bytes.')
  // Written out a second time: to put three arrays of bytes together takes longer than to encode one text.
  return utf8.encode(`${head},${signatureMember(formatSignature(signature))}${tail}`)
}

/** The text before the signature, which `issued_at` keeps from being empty, and that behind it. */
function place({ runs }: Pick<ReceiptDraft, 'runs'>, { seq, prev, issuedAt }: ChainPlace) {
  const [first = '', second = '', third = '', fourth = '', last = ''] = runs
  const issued = `"issued_at":"${new Date(issuedAt).toISOString()}"`
  const before = `"prev":${prev === null ? 'null' : `"sha256:${prev}"`}`
  const start = first === '' ? '{' : `{${first},`
  const head = `${start}${issued}${behindComma(second)},${before}${behindComma(third)},"seq":${seq}${behindComma(fourth)}`
  return { head, tail: `${behindComma(last)}}` }
}

const behindComma = (run: string): string => (run === '' ? '' : `,${run}`)

/** What stands in every receipt: the longest place, the signature and the braces. */
const placeBytesMax = place({ runs: [] }, LONGEST).head.length + '}'.length + signatureMemberBytes

/** The bytes of a text in UTF-8. Most are ASCII, whose bytes need not be made to be counted. */
function bytesOf(text: string): number {
  return ONLY_ASCII.test(text) ? text.length : utf8.encode(text).length
}

const ONLY_ASCII = /^[ -~]*$/
