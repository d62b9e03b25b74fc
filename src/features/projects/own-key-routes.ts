import { ADMINISTERS, type Role } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import { PROJECT_LIMITS } from './limits.js'
import { renderKey } from './render.js'
import type { ProjectVerbs } from './routes.js'
import * as schema from './schema.js'

const BASE = '/api/v1/keys'
const shared = { tag: 'Keys', access: ADMINISTERS } as const

/** The keys of a project, for its own keys with the role admin. A key of another project is like one that is not there. */
export function mountOwnKeys(app: App, guards: Guards, verbs: ProjectVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: BASE,
    operationId: 'listKeys',
    summary: 'List the keys of your project, revoked ones included',
    responses: { 200: { description: 'The keys, oldest first.', schema: schema.KeyList } },
    handle: async ({ principal }) => jsonResponse({ keys: (await verbs.listKeys(principal.projectId)).map(renderKey) }),
  })
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: BASE,
    operationId: 'createKey',
    summary: 'Create a key of your project',
    problems: ['not-found', 'conflict'],
    body: schema.CreateKeyBody,
    bodyBytesMax: PROJECT_LIMITS.bodyBytesMax,
    bodyExample: { name: 'ci', role: 'log' },
    responses: { 201: { description: 'The key; shown this once.', schema: schema.NewKeySchema } },
    handle: async ({ principal, body }) => {
      const input = { projectId: principal.projectId, name: body.name ?? null, role: body.role as Role }
      const made = await verbs.createKey(input)
      return jsonResponse({ ...renderKey(made), key: made.key }, 201)
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'delete',
    path: `${BASE}/{key_id}`,
    operationId: 'revokeKey',
    summary: 'Revoke a key of your project',
    description: 'It is refused here at once, by every other instance within two seconds. A key may revoke itself.',
    params: schema.OwnKeyPath,
    responses: { 200: { description: 'Whether it was there to be revoked.', schema: schema.Revoked } },
    handle: async ({ principal, params }) =>
      jsonResponse({ revoked: await verbs.revokeKey(principal.projectId, params.key_id) }),
  })
}
