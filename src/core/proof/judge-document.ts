import { isJsonObject, type JsonObject, type JsonValue, parseCanonicalBytes, parseJsonBytes } from '../json/index.js'
import { fromLogProofJson, type LogProof, type ProofDeps, parseLogProof } from '../tlog/index.js'
import { viewCheckpoint } from './judge-log.js'
import { judgePackage } from './judge-package.js'
import { type AuditTerms, judgeReceipt, type ReceiptJudgement } from './judge-receipt.js'
import { type Check, type Verdict, verdictOf } from './judgement.js'
import { embeddedTerms } from './pins.js'
import { documentBytesMax, readDocument } from './read-document.js'

/** A file to judge, and what was given beside it. */
export type AuditFile = {
  readonly document: AsyncIterable<Uint8Array>
  /** A log proof, as `.tlog-proof` or JSON. */
  readonly proof: Uint8Array | null
  /** The proof of one member of a batch receipt (JSON). */
  readonly member: Uint8Array | null
}

export type AuditOptions = AuditTerms & {
  /** Whether the file itself has to be in the one canonical spelling. */
  readonly strict: boolean
  /** Whether keys and policy that come with the file are relied on where none are pinned. */
  readonly trustEmbedded: boolean
}

export type DocumentJudgement = {
  readonly kind: 'receipt' | 'package' | 'unreadable'
  readonly verdict: Verdict
  /** Whether keys or policy came with the file: then whoever made the file chose whom to rely on. */
  readonly trustsEmbedded: boolean
  /** Checks of the file; those of its receipts stand with them. */
  readonly checks: readonly Check[]
  /** How many receipts of the file came out how. */
  readonly counts: Readonly<Record<Verdict, number>>
  /** The receipt; of a package those that are not good, the first `receiptsListedMax`. */
  readonly receipts: readonly ReceiptJudgement[]
  /** The first and the last number of a package. */
  readonly range: { readonly from: number; readonly to: number } | null
}

/** Bytes up to this one are white space, as far as JSON allows them outside of texts. */
const SPACE = 0x20
const COMPLETE_LIMITS = { textCharsMax: documentBytesMax, nestingLevelsMax: 34 }

/**
 * Judges a file by everything that can be said of it offline: a receipt, `{receipt, log_proof}`, or an audit package.
 * Nothing is asked of any server. Hostile input makes a verdict, never an exception; throws what reading the file or
 * the verifier throws.
 */
export async function judgeDocument(
  deps: ProofDeps,
  options: AuditOptions,
  file: AuditFile,
): Promise<DocumentJudgement> {
  for (const { checkpoint } of options.kept) {
    const contradiction = checkpoint === null ? null : options.history.checkpoint(checkpoint)
    if (contradiction !== null) return refused(contradiction)
  }
  const read = await readDocument(file.document)
  if (read.kind === 'too-long') return unreadable(`It is longer than ${documentBytesMax} bytes: no receipt is.`)
  if (read.kind === 'package') return judgePackage(deps, options, read)
  // A download that failed leaves an empty file: that says nothing against anybody.
  if (read.bytes.every((byte) => byte <= SPACE))
    return refused({ name: 'text', status: 'undecided', detail: 'It is empty.' })
  const parse = options.strict ? parseCanonicalBytes : parseJsonBytes
  const parsed = parse(read.bytes, COMPLETE_LIMITS)
  if (!parsed.ok) return unreadable(`It is not one clear JSON text (${parsed.reason}${at(parsed.pointer)}).`)
  const { receipt, shown, embedded } = unwrap(parsed.value)
  const proof = file.proof === null ? shown : readProof(file.proof)
  const member = file.member === null ? { ok: true as const, value: undefined } : parseJsonBytes(file.member)
  const detail = options.strict ? 'It is the one canonical spelling of what it says.' : 'It is one clear JSON text.'
  const text: Check = { name: 'text', status: 'passed', detail }
  if (!proof.ok) {
    const unproven = { receipt, view: null, place: null }
    return single(false, [text], await judgeReceipt(deps, options, unproven, [badProof(proof.reason)]))
  }
  if (!member.ok) return unreadable(`The proof of a member is not one clear JSON text (${member.reason}).`)
  const terms = options.trustEmbedded ? embeddedTerms(deps, options, embedded) : { ...options, embedded: false }
  const view = proof.logProof === null ? null : await viewCheckpoint(deps, terms.policy, proof.logProof.checkpoint)
  const evidence = { receipt, view, place: proof.logProof, member: member.value }
  return single(terms.embedded, [text], await judgeReceipt(deps, terms, evidence))
}

type Proof = { readonly ok: true; readonly logProof: LogProof | null } | { readonly ok: false; readonly reason: string }

/** The receipt by itself, or what `?include=proof` responds with. */
function unwrap(value: JsonValue): {
  readonly receipt: JsonValue
  readonly shown: Proof
  readonly embedded: JsonObject
} {
  if (!isJsonObject(value) || !isJsonObject(value['receipt']) || Object.hasOwn(value, 'signature')) {
    return { receipt: value, shown: { ok: true, logProof: null }, embedded: {} }
  }
  const { receipt, log_proof: shown = null } = value
  if (shown === null) return { receipt, shown: { ok: true, logProof: null }, embedded: value }
  const read = typeof shown === 'string' ? parseLogProof(new TextEncoder().encode(shown)) : fromLogProofJson(shown)
  return { receipt, shown: read, embedded: value }
}

/** Reads a file with a log proof: JSON if it begins like an object, else the text of c2sp.org/tlog-proof. */
function readProof(bytes: Uint8Array): Proof {
  if (bytes[0] !== 0x7b) return parseLogProof(bytes)
  const parsed = parseJsonBytes(bytes, COMPLETE_LIMITS)
  if (!parsed.ok) return parsed
  const { value } = parsed
  return fromLogProofJson(isJsonObject(value) ? (value['log_proof'] ?? value) : value)
}

const badProof = (reason: string): Check => ({
  name: 'inclusion',
  status: 'failed',
  detail: `What was given as its log proof is none (${reason}).`,
})

function single(trustsEmbedded: boolean, checks: readonly Check[], receipt: ReceiptJudgement): DocumentJudgement {
  const counts = { good: 0, bad: 0, undecided: 0, unwitnessed: 0, [receipt.verdict]: 1 }
  return { kind: 'receipt', verdict: receipt.verdict, trustsEmbedded, checks, counts, receipts: [receipt], range: null }
}

const unreadable = (detail: string): DocumentJudgement => refused({ name: 'text', status: 'failed', detail })

function refused(check: Check): DocumentJudgement {
  const counts = { good: 0, bad: 0, undecided: 0, unwitnessed: 0 }
  return {
    kind: 'unreadable',
    verdict: verdictOf([check]),
    trustsEmbedded: false,
    checks: [check],
    counts,
    receipts: [],
    range: null,
  }
}

const at = (pointer: string): string => (pointer === '' ? '' : ` at ${pointer}`)
