import { MANAGES, type ProjectId, WRITES } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import { renderWebhook } from './export-webhook.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { PutInput, PutResult } from './put-webhook.js'
import * as schema from './schema.js'
import type { Webhook } from './webhook.js'

export type WebhookVerbs = {
  readonly put: (input: PutInput) => Promise<PutResult>
  readonly find: (projectId: ProjectId) => Promise<Webhook | undefined>
  readonly remove: (projectId: ProjectId) => Promise<boolean>
}

const shared = { path: '/api/v1/webhook', tag: 'Webhooks' } as const

export function mountWebhooks(app: App, guards: Guards, verbs: WebhookVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'put',
    operationId: 'putWebhook',
    summary: 'Set the webhook that is told of changed aliases',
    description:
      'One a project. Each revision is POSTed to it as `{"type":"aliases.changed","timestamp":…,"data":{"project_id":…,"revision":…,"profiles":[…]}}` (`profiles` is null if too many to name), signed as the Standard Webhooks specification says: in order, at least once, retried for a day. What waits is sent to the new address.',
    access: WRITES,
    problems: ['webhooks-not-configured'],
    body: schema.PutBody,
    bodyBytesMax: WEBHOOK_LIMITS.bodyBytesMax,
    bodyExample: { url: 'https://hooks.llmring.example/aliases' },
    responses: { 200: { description: 'The webhook.', schema: schema.SetWebhook } },
    handle: async ({ principal: { projectId, keyId }, body }) => {
      const { webhook, secret } = await verbs.put({ projectId, keyId, url: body.url, secret: body.secret ?? null })
      return jsonResponse({ ...renderWebhook(webhook), secret })
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    operationId: 'getWebhook',
    summary: 'Show the webhook, and how sending to it goes',
    description: 'A project without one has `status: none`.',
    access: MANAGES,
    responses: { 200: { description: 'Without its secret.', schema: schema.WebhookSchema } },
    handle: async ({ principal }) => jsonResponse(renderWebhook(await verbs.find(principal.projectId))),
  })
  mount(app, guards, {
    ...shared,
    method: 'delete',
    operationId: 'deleteWebhook',
    summary: 'Delete the webhook, and what waits for it',
    access: MANAGES,
    responses: { 200: { description: 'Whether it was there.', schema: schema.Deleted } },
    handle: async ({ principal }) => jsonResponse({ deleted: await verbs.remove(principal.projectId) }),
  })
}
