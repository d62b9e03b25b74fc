import { canonicalJson } from '../json/index.js'
import { hashLeaf, type Sha256 } from '../tlog/index.js'

/** One logged call as a batch receipt certifies it. */
export type UsageMember = {
  readonly log_id: string
  /** When it was logged: RFC 3339 in UTC with milliseconds. */
  readonly timestamp: string
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  /** The counts that are known, by kind. */
  readonly tokens: Readonly<Record<string, number>>
  /** US dollars with 12 places. */
  readonly cost: string
  /** How the cost came about: `reported`, `priced`, …; `unknown_model` and `no_price` say that it is not known. */
  readonly cost_status: string
}

/**
 * The leaf that stands for a member in the tree of a batch receipt: the RFC 6962 hash of its RFC 8785 bytes. Null for a
 * value that has no canonical form; a member that was read from a document may be any value.
 */
export function hashMember(sha256: Sha256, member: unknown): Uint8Array | null {
  const canonical = canonicalJson(member)
  return canonical.ok ? hashLeaf(sha256, canonical.bytes) : null
}
