import { type ProjectId, PUBLIC, READS_RECEIPTS, WRITES } from '../../access/principal.js'
import type { JsonObject } from '../../core/json/index.js'
import type { LegacyVerdict, ReceiptReport } from '../../core/proof/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import type { ReadHeader } from '../../http/presented-key.js'
import { JSON_HEADERS, JSON_TYPE, jsonResponse, plainBytes, plainJson } from '../../http/response.js'
import type { WarmResponse } from '../../http/warm-lane.js'
import { AppError } from '../../platform/errors.js'
import { readIssueRequest } from './claims.js'
import type { ReceiptClaims } from './issue-receipt.js'
import type { KeyDocuments } from './key-documents.js'
import { RECEIPT_LIMITS } from './limits.js'
import type { PageInput } from './read-receipts.js'
import type { ReceiptIdentity, ShownReceipt } from './receipt.js'
import * as schema from './schema.js'
import type { StoredReceipt } from './store-receipt.js'

/** Receipts come as the bytes that were signed. */
export type ReceiptVerbs = {
  readonly issue: (projectId: ProjectId, claims: ReceiptClaims) => Promise<Uint8Array>
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
  for (const base of ['/receipts', BASE]) mountKeys(app, guards, published.keys, base)
  mountIssue(app, guards, verbs)
  mountVerify(app, guards, verbs, published.example)
  mountStore(app, guards, verbs, published.example)
  mountList(app, guards, verbs)
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
      'The answer is the receipt: exactly what it shows is signed and stored. Members of the request that are no part of it are ignored and named in the header `X-Receipt-Ignored`. With an `id` the request can be repeated: the same claims give the stored receipt, byte for byte.',
    access: WRITES,
    problems: ['receipts-not-configured', 'conflict'],
    body: schema.IssueBody,
    bodyBytesMax: RECEIPT_LIMITS.bodyBytesMax,
    bodyExample: CLAIMS,
    responses: { 200: { description: 'The signed receipt.', schema: schema.IssuedReceipt, example: SIGNED } },
    direct: true,
    handle: async ({ principal, body, text }) => {
      const { claims, ignored } = readIssueRequest(body, text)
      const receipt = responseBytes(await verbs.issue(principal.projectId, claims))
      if (ignored === undefined) return plainBytes(receipt)
      return plainBytes(receipt, { 'Content-Type': JSON_TYPE, 'X-Receipt-Ignored': ignored })
    },
  })
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
    problems: ['receipt-not-verified', 'conflict'],
    body: schema.StoreBody,
    bodyBytesMax: RECEIPT_LIMITS.bodyBytesMax,
    bodyExample: { receipt: example },
    responses: { 200: { description: 'It verified and is stored.', schema: schema.StoredResponse } },
    handle: async ({ principal, text }) => {
      const { id, legacy } = await verbs.store(principal.projectId, text)
      const stored = { receipt_id: id, status: 'verified' }
      return jsonResponse(legacy === null ? stored : { ...stored, legacy: renderLegacy(legacy) })
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

function mountKeys(app: App, guards: Guards, keys: KeyDocuments, base: string): void {
  const suffix = base === BASE ? 'V1' : ''
  const shared = { method: 'get', tag, access: PUBLIC, problems: ['not-found'] } as const
  const contentType = { pem: 'application/x-pem-file', jwk: 'application/jwk+json' }
  mount(app, guards, {
    ...shared,
    path: `${base}/public-key.pem`,
    operationId: `getReceiptKeyPem${suffix}`,
    summary: 'The current public key, PEM',
    responses: { 200: { description: 'The key.', schema: schema.PublicKeyPem, contentType: contentType.pem } },
    warm: () => warmKey(keys.pem(), contentType.pem),
    handle: () => keyResponse(keys.pem(), contentType.pem),
  })
  mount(app, guards, {
    ...shared,
    path: `${base}/public-key.jwk`,
    operationId: `getReceiptKeyJwk${suffix}`,
    summary: 'The current public key, JWK',
    responses: { 200: { description: 'The key.', schema: schema.PublicKeyJwk, contentType: contentType.jwk } },
    warm: () => warmKey(keys.jwk(), contentType.jwk),
    handle: () => keyResponse(keys.jwk(), contentType.jwk),
  })
  mount(app, guards, {
    ...shared,
    path: `${base}/public-keys.json`,
    operationId: `listReceiptKeys${suffix}`,
    summary: 'Every key that ever signed',
    description: 'A JWK set, too. `kid` names the key of a receipt’s `key_id`.',
    responses: { 200: { description: 'The keys, the current one first.', schema: schema.PublicKeys } },
    handle: async () => keyResponse(await keys.list(), JSON_TYPE),
  })
}

function keyResponse(document: string | undefined, contentType: string): WarmResponse {
  if (document === undefined) throw new AppError('not-found', 'No receipts key is configured here.')
  return plainBytes(document, keyHeaders(contentType))
}

function warmKey(document: string | undefined, contentType: string): WarmResponse | undefined {
  return document === undefined ? undefined : plainBytes(document, keyHeaders(contentType))
}

const keyHeaders = (contentType: string) => ({
  'Content-Type': contentType,
  'Cache-Control': `public, max-age=${RECEIPT_LIMITS.keyCacheSeconds}`,
})

/** A body needs bytes that are not shared between threads; ours never are, but their type does not say so. */
function responseBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}
