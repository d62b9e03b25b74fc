import { type ProjectId, PUBLIC, READS_RECEIPTS, WRITES } from '../../access/principal.js'
import type { JsonObject } from '../../core/json/index.js'
import type { LegacyVerdict, ReceiptReport } from '../../core/proof/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { HTTP_LIMITS } from '../../http/limits.js'
import type { ReadHeader } from '../../http/presented-key.js'
import { JSON_HEADERS, JSON_TYPE, jsonResponse, plainBytes, plainJson } from '../../http/response.js'
import { deadline } from '../../platform/deadline.js'
import { AppError } from '../../platform/errors.js'
import { type AuditVerbs, mountAudit } from './audit/audit-routes.js'
import { LogQuery } from './audit/log-schema.js'
import { type Ends, type LogNews, type LogWish, readLogWish, renderProof } from './audit/wait-logged.js'
import { readIssueRequest } from './issue/claims.js'
import type { ReceiptClaims } from './issue/issue-receipt.js'
import { readPlainIssue } from './issue/plain-issue.js'
import type { KeyDocuments } from './keys/key-documents.js'
import { mountKeys } from './keys/key-routes.js'
import { RECEIPT_LIMITS } from './limits.js'
import type { PageInput } from './read-receipts.js'
import type { ReceiptIdentity, ShownReceipt } from './receipt.js'
import * as schema from './schema.js'
import type { StoredReceipt } from './store-receipt.js'

/** Receipts come as the bytes that were signed. */
export type ReceiptVerbs = AuditVerbs & {
  readonly issue: (projectId: ProjectId, claims: ReceiptClaims) => Promise<Uint8Array>
  readonly waitLogged: (canonical: Uint8Array, wish: LogWish, ends: Ends) => Promise<LogNews>
  readonly store: (projectId: ProjectId, text: string) => Promise<StoredReceipt>
  /** `header`: a project's key is read from it, if the receipt is signed with none of ours. */
  readonly verify: (text: string, header: ReadHeader) => Promise<ReceiptReport>
  readonly find: (identity: ReceiptIdentity) => Promise<ShownReceipt>
  readonly list: (input: PageInput) => Promise<Uint8Array | AsyncGenerator<Uint8Array>>
}

/** What is public: the keys, and for the document a receipt that verifies under the current one. */
export type Published = { readonly keys: KeyDocuments; readonly example: JsonObject }

const BASE = '/api/v1/receipts'
const tag = 'Receipts'
const LEGACY =
  'The last receipts of the Python server (November 2025) were signed with another spelling of `timestamp` (`+00:00`, sent as `Z`), and `receipt_type`, `batch_summary`, `description` and `tags` were added outside of the signature. Such a receipt is `valid: false`; if its signature holds when it is read like that, under a key that is listed here, the answer has the member `legacy`, which names the members that nothing vouches for.'
const CLAIMS = {
  ...{ id: 'call-4711', timestamp: '2026-01-31T12:00:00Z', registry_version: 'openai@7', model: 'openai:gpt-4o-mini' },
  ...{ alias: 'summarizer', profile: 'default', lock_digest: 'sha256:9f86d081', tokens: { input: 1200, output: 300 } },
  cost: { amount: '0.00036', calculation: '1200 × 0.15 + 300 × 0.60 per million' },
}
const SIGNED = {
  ...{ id: 'call-4711', timestamp: '2026-01-31T12:00:00Z', issued_at: '2026-01-31T12:00:00.250Z' },
  ...{ issuer: 'receipts.example/log1', project: '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' },
  ...{ registry_version: 'openai@7', model: 'openai:gpt-4o-mini', alias: 'summarizer', profile: 'default' },
  ...{ lock_digest: 'sha256:9f86d081', tokens: { input: 1200, output: 300, cached_input: 0 } },
  cost: { amount: '0.000360000000', calculation: '1200 × 0.15 + 300 × 0.60 per million', currency: 'USD' },
  ...{ seq: 2, prev: `sha256:${'0'.repeat(64)}`, evidence: 'client_reported' },
  ...{ log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 } },
  ...{ key_id: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' },
  signature: `ed25519:${'A'.repeat(86)}`,
}

/** The keys come first: their addresses would be taken for receipts' ids. */
export function mountReceipts(app: App, guards: Guards, verbs: ReceiptVerbs, published: Published): void {
  mountKeys(app, guards, published.keys)
  mountIssue(app, guards, verbs)
  mountVerify(app, guards, verbs, published.example)
  mountStore(app, guards, verbs, published.example)
  mountList(app, guards, verbs)
  mountAudit(app, guards, verbs)
  mountShow(app, guards, verbs)
}

function mountIssue(app: App, guards: Guards, verbs: ReceiptVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/issue`,
    tag,
    operationId: 'issueReceipt',
    summary: 'Issue a receipt',
    description:
      'The answer is the receipt: exactly what it shows is signed and stored. Members of the request that are no part of it are ignored and named in the header `X-Receipt-Ignored`. With an `id` the request can be repeated: the same claims give the stored receipt, byte for byte. With `Prefer: wait=5` it is answered once a published checkpoint covers the receipt, or after so many seconds (60 at most) all the same; `Preference-Applied` says that it is logged.',
    access: WRITES,
    problems: ['receipts-not-configured', 'log-suspended', 'conflict'],
    query: LogQuery,
    responseMsMax: RECEIPT_LIMITS.waitResponseMsMax,
    body: schema.IssueBody,
    plainBody: readPlainIssue,
    bodyBytesMax: RECEIPT_LIMITS.bodyBytesMax,
    bodyExample: CLAIMS,
    responses: { 200: { description: 'The signed receipt.', schema: schema.IssueResponse, example: SIGNED } },
    direct: true,
    handle: async (request) => {
      const { claims, ignored } = readIssueRequest(request.body, request.text)
      const wish = readLogWish(request.query, request.header('prefer'))
      const receipt = await inTime(verbs.issue(request.principal.projectId, claims))
      const named = ignored === undefined ? {} : { 'X-Receipt-Ignored': ignored }
      if (wish === undefined && ignored === undefined) return plainBytes(responseBytes(receipt))
      const news = wish === undefined ? undefined : await hearOfLog(verbs, receipt, wish, request)
      const headers = { 'Content-Type': JSON_TYPE, ...named, ...appliedOf(wish, news) }
      if (!wish?.isProofWanted) return plainBytes(responseBytes(receipt), headers)
      const log = news?.proof == null ? null : renderProof(news.proof)
      const parts = [Buffer.from('{"receipt":'), receipt, Buffer.from(`,"log_proof":${JSON.stringify(log)}}`)]
      return plainBytes(responseBytes(Buffer.concat(parts)), headers)
    },
  })
}

type Waiting = { readonly signal: () => AbortSignal; readonly draining: AbortSignal; readonly park: () => void }

function hearOfLog(
  verbs: ReceiptVerbs,
  canonical: Uint8Array,
  wish: LogWish,
  { signal, draining, park }: Waiting,
): Promise<LogNews> {
  if (wish.waitSeconds > 0) park()
  return verbs.waitLogged(canonical, wish, { signal: signal(), draining })
}

/** RFC 7240, 3: said only where the wish was fulfilled. */
function appliedOf(wish: LogWish | undefined, news: LogNews | undefined): Record<string, string> {
  return wish === undefined || !news?.isLogged ? {} : { 'Preference-Applied': `wait=${wish.waitSeconds}` }
}

/** What comes before the wait has the time of every response. */
function inTime<T>(outcome: Promise<T>): Promise<T> {
  const detail = 'The request took too long; the receipt may or may not be kept.'
  const late = () => new AppError('timed-out', detail, { retryAfterSeconds: 1 })
  return deadline(outcome, HTTP_LIMITS.responseMsMax, late)
}

function mountVerify(app: App, guards: Guards, verbs: ReceiptVerbs, example: JsonObject): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/verify`,
    tag,
    operationId: 'verifyReceipt',
    summary: 'Verify a receipt',
    description: `Of either shape; \`{receipt: {…}}\` is taken as well. An invalid receipt is an answer, not a problem. Where a project’s key is presented, the keys that it registered count, too. ${LEGACY}`,
    access: PUBLIC,
    problems: ['database-unavailable'],
    body: schema.VerifyBody,
    bodyExample: example,
    responses: { 200: { description: 'What was checked, and how it went.', schema: schema.VerifyResponse } },
    direct: true,
    handle: async ({ text, header }) => {
      const { receiptId, valid, algorithm, keyId, checks, legacy } = await verbs.verify(text, header)
      const report = { receipt_id: receiptId, valid, algorithm, key_id: keyId, checks }
      return plainJson(legacy === null ? report : { ...report, legacy: renderLegacy(legacy) })
    },
  })
}

function mountStore(app: App, guards: Guards, verbs: ReceiptVerbs, example: JsonObject): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/`,
    tag,
    operationId: 'storeReceipt',
    summary: 'Store a signed receipt',
    description:
      'Of either shape, signed with a key that is listed here or that the project registered. Storing the same receipt again is fine. One that holds only by the legacy rule (see verify) is stored as it was sent, and marked: the answer has the member `legacy`, `GET` the header `X-Receipt-Legacy`, and the list names it under `legacy`.',
    access: WRITES,
    problems: ['receipt-not-verified', 'log-suspended', 'conflict'],
    query: LogQuery,
    responseMsMax: RECEIPT_LIMITS.waitResponseMsMax,
    body: schema.StoreBody,
    bodyBytesMax: RECEIPT_LIMITS.bodyBytesMax,
    bodyExample: { receipt: example },
    responses: { 200: { description: 'It verified and is stored.', schema: schema.StoredResponse } },
    handle: async (request) => {
      const wish = readLogWish(request.query, request.header('prefer'))
      const { id, legacy, canonical } = await inTime(verbs.store(request.principal.projectId, request.text))
      const stored = {
        receipt_id: id,
        status: 'verified',
        ...(legacy === null ? {} : { legacy: renderLegacy(legacy) }),
      }
      if (wish === undefined) return jsonResponse(stored)
      const news = await hearOfLog(verbs, canonical, wish, request)
      const proof = news.proof === null ? null : renderProof(news.proof)
      const body = wish.isProofWanted ? { ...stored, log_proof: proof } : stored
      return jsonResponse(body, 200, appliedOf(wish, news))
    },
  })
}

function mountList(app: App, guards: Guards, verbs: ReceiptVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/`,
    tag,
    operationId: 'listReceipts',
    summary: 'List receipts, newest first',
    access: READS_RECEIPTS,
    turns: 'read',
    query: schema.PageQuery,
    responses: { 200: { description: 'A page of receipts.', schema: schema.ReceiptPageResponse } },
    handle: async ({ principal, query }) => {
      const list = await verbs.list({ projectId: principal.projectId, ...query })
      if (list instanceof Uint8Array) return plainBytes(responseBytes(list))
      return { chunks: list, headers: JSON_HEADERS }
    },
  })
}

function mountShow(app: App, guards: Guards, verbs: ReceiptVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/{id}`,
    tag,
    operationId: 'getReceipt',
    summary: 'Show a receipt',
    access: READS_RECEIPTS,
    problems: ['not-found'],
    params: schema.ReceiptPath,
    responses: { 200: { description: 'Exactly as it was signed.', schema: schema.SignedReceipt, example: SIGNED } },
    handle: async ({ principal, params }) => {
      const { canonical, legacyRule } = await verbs.find({ projectId: principal.projectId, id: params.id })
      if (legacyRule === null) return plainBytes(responseBytes(canonical))
      return plainBytes(responseBytes(canonical), { 'Content-Type': JSON_TYPE, 'X-Receipt-Legacy': legacyRule })
    },
  })
}

function renderLegacy({ rule, keyId, unsignedMembers }: LegacyVerdict) {
  return { valid: true, rule, key_id: keyId, unsigned_members: unsignedMembers }
}

/** A body needs bytes that are not shared between threads; ours never are, but their type does not say so. */
function responseBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}
