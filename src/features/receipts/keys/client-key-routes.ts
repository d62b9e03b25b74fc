import { ADMINISTERS, READS_RECEIPTS } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { jsonResponse } from '../../../http/response.js'
import { RECEIPT_LIMITS } from '../limits.js'
import * as schema from './client-key-schema.js'
import type { ClientKeys } from './client-keys.js'

const BASE = '/api/v1/receipts/keys'
const shared = { tag: 'Receipts' } as const
const EXAMPLE = {
  public_key: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  ...{ key_id: 'key-of-a-partner', label: 'The billing of a partner', not_before: '2026-01-01T00:00:00Z' },
}

/** Before the routes of single receipts: their address would be taken for an id. */
export function mountClientKeys(
  app: App,
  guards: Guards,
  keys: Pick<ClientKeys, 'list' | 'register' | 'remove'>,
): void {
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: BASE,
    operationId: 'registerReceiptKey',
    summary: 'Register a key that others sign receipts with',
    description:
      'Receipts under it can be stored by this project, and verify where its key is presented. It holds for receipts whose own time (`issued_at`, else `timestamp`) lies between `not_before` and `not_after`. A receipt that names this service as its issuer never verifies under it. Registering the same key again changes its label and times.',
    access: ADMINISTERS,
    problems: ['conflict', 'project-full'],
    body: schema.ClientKeyBody,
    bodyBytesMax: RECEIPT_LIMITS.clientKeyBodyBytesMax,
    bodyExample: EXAMPLE,
    responses: { 201: { description: 'The key.', schema: schema.ClientKeyResponse } },
    handle: async ({ principal, body }) => {
      const key = await keys.register(principal.projectId, {
        ...{ publicKey: body.public_key, keyId: body.key_id ?? undefined, label: body.label ?? null },
        notBefore: body.not_before == null ? null : new Date(body.not_before),
        notAfter: body.not_after == null ? null : new Date(body.not_after),
      })
      return jsonResponse(key, 201)
    },
  })
  mountLists(app, guards, keys)
}

function mountLists(app: App, guards: Guards, keys: Pick<ClientKeys, 'list' | 'remove'>): void {
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: BASE,
    operationId: 'listRegisteredReceiptKeys',
    summary: 'List the keys of others that receipts may verify under',
    access: READS_RECEIPTS,
    responses: { 200: { description: 'The keys, oldest first.', schema: schema.ClientKeyList } },
    handle: async ({ principal }) => jsonResponse(await keys.list(principal.projectId)),
  })
  mount(app, guards, {
    ...shared,
    method: 'delete',
    path: `${BASE}/{kid}`,
    operationId: 'removeReceiptKey',
    summary: 'Remove a key of others',
    description: 'Receipts that were stored under it stay.',
    access: ADMINISTERS,
    params: schema.ClientKeyPath,
    responses: { 200: { description: 'Whether it was there.', schema: schema.ClientKeyRemoved } },
    handle: async ({ principal, params }) => jsonResponse(await keys.remove(principal.projectId, params.kid)),
  })
}
