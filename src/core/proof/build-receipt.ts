import { isIssuedReceiptId } from './receipt-id.js'
import {
  type PayloadFault,
  type ReceiptCost,
  type ReceiptPayload,
  refuseTexts,
  refuseTokens,
  toReceiptCost,
} from './receipt-payload.js'
import { checkTimestamp, type TimestampFault } from './receipt-timestamp.js'

/** What we say of a receipt ourselves. */
export interface IssueContext {
  /** Our clock: the time of a call that the client gives none for. */
  readonly now: Date
  /** The log's origin. */
  readonly issuer: string
  /** The project's public id. */
  readonly project: string
  /** The id of the key that will sign. */
  readonly keyId: string
  /** The receipt's id if the client chose none. */
  readonly id: string
  /** Who saw the call; the client unless we say so. */
  readonly evidence?: Evidence
  /** What the log promises. */
  readonly log: LogPromise
}

/** Who saw the call that a receipt tells of: the client that made it, or this service, through which it went. */
export type Evidence = 'client_reported' | 'server_observed'

/** Not in the log of this origin after so many seconds, counted from `issued_at`: that is proof of misbehaviour. */
export type LogPromise = { readonly origin: string; readonly max_merge_delay_seconds: number }

/**
 * The receipt that we issue, before it has its place in the project's chain (`issued_at`, `seq`, `prev`) and its
 * signature: the nested shape, every number an integer, money a decimal string.
 */
type UnplacedReceipt = {
  readonly id: string
  readonly timestamp: string
  readonly issuer: string
  readonly project: string
  readonly registry_version: string
  readonly provider?: string
  readonly model: string
  readonly alias: string
  readonly profile: string
  readonly lock_digest: string
  readonly tokens: Readonly<Record<string, number>>
  readonly cost: ReceiptCost
  readonly evidence: Evidence
  readonly log: LogPromise
  readonly key_id: string
}

const NOTHING = {}

export type BuildFault = PayloadFault | TimestampFault | 'bad-id' | 'wrong-key-id'

export type BuildResult =
  | { readonly ok: true; readonly receipt: UnplacedReceipt }
  | { readonly ok: false; readonly reason: BuildFault; readonly pointer: string }

/**
 * The receipt of a client's payload, to be placed and signed. The client chooses the id and the time of its call, within
 * the rules of `isIssuedReceiptId` and `checkTimestamp`; without one, the context's id and `now` stand. A payload that names another key than ours is refused: the client believes something about the
 * signature that will not be true.
 */
export function buildReceipt(payload: ReceiptPayload, context: IssueContext): BuildResult {
  const id = payload.id ?? context.id
  if (!isIssuedReceiptId(id)) return { ok: false, reason: 'bad-id', pointer: '/id' }
  if (payload.key_id !== undefined && payload.key_id !== context.keyId) {
    return { ok: false, reason: 'wrong-key-id', pointer: '/key_id' }
  }
  const claimed = checkTimestamp(payload.timestamp ?? context.now.toISOString(), context.now.getTime())
  if (!claimed.ok) return { ok: false, reason: claimed.reason, pointer: '/timestamp' }
  const refusal = refuseTexts(payload) ?? refuseTokens(payload.tokens)
  if (refusal !== null) return refusal
  const cost = toReceiptCost(payload.cost)
  if (!cost.ok) return cost
  // In the order in which they are serialised: most receipts need no sorting then.
  const receipt: UnplacedReceipt = {
    alias: payload.alias,
    cost: cost.cost,
    evidence: context.evidence ?? 'client_reported',
    id,
    issuer: context.issuer,
    key_id: context.keyId,
    lock_digest: payload.lock_digest,
    log: context.log,
    model: payload.model,
    profile: payload.profile,
    project: context.project,
    ...(payload.provider === undefined ? NOTHING : { provider: payload.provider }),
    registry_version: payload.registry_version,
    timestamp: claimed.timestamp,
    tokens: payload.tokens,
  }
  return { ok: true, receipt }
}
