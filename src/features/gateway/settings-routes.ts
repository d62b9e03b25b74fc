import { ADMINISTERS, type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import { GatewaySettings } from './settings-schema.js'

export type SettingsVerbs = {
  readonly certifies: (projectId: ProjectId) => Promise<boolean>
  readonly setCertifies: (projectId: ProjectId, certifies: boolean) => Promise<void>
}

const shared = { path: '/api/v1/gateway/settings', tag: 'Gateway' } as const
const shown = (certifies: boolean) => jsonResponse({ receipts: certifies ? 'every_call' : 'on_request' })

/** What a project sets for all of its calls. */
export function mountSettings(app: App, guards: Guards, verbs: SettingsVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'get',
    operationId: 'getGatewaySettings',
    summary: "Show what holds for all of the project's calls",
    access: READS,
    responses: { 200: { description: 'The settings.', schema: GatewaySettings } },
    handle: async ({ principal }) => shown(await verbs.certifies(principal.projectId)),
  })
  mount(app, guards, {
    ...shared,
    method: 'put',
    operationId: 'putGatewaySettings',
    summary: "Set what holds for all of the project's calls",
    description:
      'It holds here at once, and in other instances within two seconds. With `every_call` no answer comes out of the cache, since a receipt is of a call that was made, and without a key to sign with no call is made.',
    access: ADMINISTERS,
    problems: ['not-found', 'receipts-not-configured'],
    body: GatewaySettings,
    bodyExample: { receipts: 'every_call' },
    responses: { 200: { description: 'The settings as they are now.', schema: GatewaySettings } },
    handle: async ({ principal, body }) => {
      const certifies = body.receipts === 'every_call'
      await verbs.setCertifies(principal.projectId, certifies)
      return shown(certifies)
    },
  })
}
