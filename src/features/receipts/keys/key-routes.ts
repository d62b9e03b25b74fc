import { PUBLIC } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import type { WarmResponse } from '../../../http/listen/warm-lane.js'
import { JSON_TYPE, NDJSON_TYPE, plainBytes } from '../../../http/response.js'
import { AppError } from '../../../platform/errors.js'
import { RECEIPT_LIMITS } from '../limits.js'
import * as schema from '../schema.js'
import type { KeyDocuments } from './key-documents.js'

const BASE = '/api/v1/receipts'
const tag = 'Receipts'

/** The public keys, below both addresses that clients know. */
export function mountKeys(app: App, guards: Guards, keys: KeyDocuments): void {
  for (const base of ['/receipts', BASE]) mountKeysBelow(app, guards, keys, base)
  mountStatements(app, guards, keys)
}

function mountKeysBelow(app: App, guards: Guards, keys: KeyDocuments, base: string): void {
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

function mountStatements(app: App, guards: Guards, keys: KeyDocuments): void {
  mount(app, guards, {
    method: 'get',
    tag,
    access: PUBLIC,
    path: '/receipts/key-statements.ndjson',
    operationId: 'listReceiptKeyStatements',
    summary: 'The statements of every change of key',
    description:
      '`{type: "key-statement/v1", issuer, old_key_id, new_key: {kid, x}, at, signature}`, one canonical JSON text a line: signed by the old key, or by the new one where there was none before. The SHA-256 of each line, without its end, is an entry of the log.',
    responses: { 200: { description: 'Oldest first.', schema: schema.KeyStatements, contentType: NDJSON_TYPE } },
    handle: async () => plainBytes(await keys.statements(), keyHeaders(NDJSON_TYPE)),
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
