import type { ProjectId } from '../../access/principal.js'
import type { ExportedPage } from '../contract.js'
import type { WaitingDelivery, WebhookStore } from './store.js'
import type { Webhook } from './webhook.js'

/** What a caller may see of a webhook, or of that there is none: everything but its secret. */
export function renderWebhook(webhook: Webhook | undefined) {
  return {
    url: webhook?.url ?? null,
    has_secret: webhook !== undefined,
    status: statusOf(webhook),
    created_at: webhook?.createdAt.toISOString() ?? null,
    key_id: webhook?.keyId ?? null,
    waiting: webhook?.waiting ?? 0,
    failures: webhook?.failures ?? 0,
    last_failure: webhook?.lastFailure ?? null,
    next_attempt_at: webhook?.dueAt?.toISOString() ?? null,
  }
}

function statusOf(webhook: Webhook | undefined): 'active' | 'gone' | 'none' {
  if (webhook === undefined) return 'none'
  return webhook.disabledAt === null ? 'active' : 'gone'
}

/** A project's webhook, without its secret. */
export async function exportWebhook(store: Pick<WebhookStore, 'find'>, projectId: ProjectId): Promise<ExportedPage> {
  const webhook = await store.find(projectId)
  return { rows: webhook === undefined ? [] : [JSON.stringify(renderWebhook(webhook))], next: null }
}

/** A page of the deliveries that wait, in order. */
export async function exportWaiting(
  store: Pick<WebhookStore, 'pageOfWaiting'>,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const rows = await store.pageOfWaiting(projectId, Number(after ?? 0), rowsMax)
  const last = rows.length < rowsMax ? undefined : rows.at(-1)
  return { rows: rows.map(renderWaiting), next: last === undefined ? null : String(last.place) }
}

function renderWaiting({ place, id, body, attempts, createdAt }: WaitingDelivery): string {
  return JSON.stringify({ place, id, body, attempts, created_at: createdAt.toISOString() })
}
