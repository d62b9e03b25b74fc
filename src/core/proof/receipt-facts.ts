import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../json/index.js'
import type { Sha256 } from '../tlog/index.js'
import { readInstant } from './key-document.js'

/** What a receipt says about itself beyond what every receipt says; null where it says nothing. Not verified. */
export type ReceiptFacts = {
  /** Milliseconds since 1970; 'unreadable' if what it says is no instant. */
  readonly issuedAt: number | null | 'unreadable'
  readonly issuer: string | null
  readonly project: string | null
  readonly seq: number | null
  /** As it stands: "sha256:…"; null for the first of a project too. */
  readonly prev: string | null
  /** The log that it promises to be in. */
  readonly origin: string | null
  readonly mergeDelaySeconds: number | null
}

export function readFacts(receipt: JsonObject): ReceiptFacts {
  const log = receipt['log'] ?? null
  const promise = isJsonObject(log) ? log : {}
  const issuedAt = readInstant(receipt['issued_at'])
  const { seq, issuer, project, prev } = receipt
  const { origin, max_merge_delay_seconds: seconds } = promise
  return {
    issuedAt: issuedAt === undefined ? 'unreadable' : issuedAt,
    issuer: textOf(issuer),
    project: textOf(project),
    seq: typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 1 ? seq : null,
    prev: textOf(prev),
    origin: textOf(origin),
    mergeDelaySeconds: typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : null,
  }
}

/** The log entry of a receipt: SHA-256 of its canonical bytes with its signature. Null if it has no such bytes. */
export function entryOf(sha256: Sha256, receipt: JsonValue): Uint8Array | null {
  const canonical = canonicalJson(receipt)
  return canonical.ok ? sha256(canonical.bytes) : null
}

const textOf = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null)
