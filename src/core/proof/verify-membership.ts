import { isJsonObject, type JsonObject, type JsonValue } from '../json/index.js'
import { decodeBase64, type Sha256, verifyInclusion } from '../tlog/index.js'
import { hashMember } from './usage-member.js'

const hashBytes = 32
/** A tree of fewer than 2^53 leaves needs no more. */
const proofHashesMax = 53
const MEMBERS_ROOT = /^sha256:([0-9a-f]{64})$/

type MembershipFault =
  /** The receipt does not commit to members. */
  | 'not-a-batch-receipt'
  /** It is not `{member, index, count, proof, members_root}`. */
  | 'not-a-membership-proof'
  /** It is about another receipt's members: root or count differ. */
  | 'another-receipt'
  | 'not-canonical'
  | 'not-a-member'

type MembershipVerdict =
  | { readonly ok: true; readonly member: JsonObject; readonly index: number }
  | { readonly ok: false; readonly reason: MembershipFault }

/** The root of a batch receipt's members as its `usage.members_root` says it. */
export function formatMembersRoot(root: Uint8Array): string {
  return `sha256:${[...root].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/**
 * Whether a batch receipt commits to a member, by `{member, index, count, proof, members_root}`. The receipt itself is
 * verified apart from this. Offline; hostile input gives a verdict, never an exception.
 */
export function verifyMembership(sha256: Sha256, receipt: unknown, claimed: unknown): MembershipVerdict {
  const committed = isJsonObject(receipt) ? readCommitment(receipt['usage']) : null
  if (committed === null) return { ok: false, reason: 'not-a-batch-receipt' }
  const claim = isJsonObject(claimed) ? readClaim(claimed) : null
  if (claim === null) return { ok: false, reason: 'not-a-membership-proof' }
  if (claim.members_root !== committed.members_root || claim.count !== committed.count) {
    return { ok: false, reason: 'another-receipt' }
  }
  const leaf = hashMember(sha256, claim.member)
  if (leaf === null) return { ok: false, reason: 'not-canonical' }
  const { index, count: size, proof } = claim
  const verdict = verifyInclusion(sha256, { leaf, index, size, proof, root: committed.root })
  return verdict.ok ? { ok: true, member: claim.member, index } : { ok: false, reason: 'not-a-member' }
}

type Commitment = { readonly members_root: string; readonly root: Uint8Array; readonly count: number }

function readCommitment(value: JsonValue | undefined): Commitment | null {
  if (!isJsonObject(value)) return null
  const { members_root, count } = value
  if (typeof members_root !== 'string' || !isCount(count)) return null
  const hex = MEMBERS_ROOT.exec(members_root)?.[1]
  if (hex === undefined) return null
  const root = Uint8Array.from({ length: hashBytes }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
  return { members_root, root, count }
}

function readClaim(claimed: JsonObject) {
  const { member, index, proof } = claimed
  const commitment = readCommitment(claimed)
  if (commitment === null || !isJsonObject(member) || !isCount(index) || !Array.isArray(proof)) return null
  if (proof.length > proofHashesMax) return null
  const hashes = proof.map((hash) => (typeof hash === 'string' ? decodeBase64(hash, hashBytes) : null))
  const known = hashes.filter((hash) => hash !== null)
  return known.length === hashes.length ? { ...commitment, member, index, proof: known } : null
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
