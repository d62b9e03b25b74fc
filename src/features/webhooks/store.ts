import { eq, sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { eraseRows } from '../../db/erase-rows.js'
import type { Orm } from '../../db/orm.js'
import { webhookDeliveries, webhooks } from '../../db/tables/webhooks.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { Delivery, NewDelivery, NewWebhook, Webhook } from './webhook.js'

export type WebhookStore = ReturnType<typeof createWebhookStore>
export type WaitingDelivery = Delivery & { readonly attempts: number; readonly createdAt: Date }

export function createWebhookStore({ sql: hot, orm }: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    lockActive,
    enqueue,
    set,
    remove,
    eraseChunk,
    find: (projectId: ProjectId) => findWebhook(orm, projectId),
    pageOfWaiting: (projectId: ProjectId, after: number, rowsMax: number) =>
      hot<WaitingDelivery[]>`
        select place::float8 as place, id, body, attempts, created_at as "createdAt" from webhook_deliveries
        where project_id = ${projectId} and place > ${after} order by place limit ${rowsMax}`,
  }
}

/**
 * Whether the project has a webhook that is in use, by the database's time now; undefined if not. Until the transaction
 * ends, no instance decides that nothing waits for it.
 */
async function lockActive(tx: Tx, projectId: ProjectId): Promise<Date | undefined> {
  const [row] = await sqlOf(tx)<{ now: Date }[]>`
    select now() as now from webhooks where project_id = ${projectId} and disabled_at is null for update`
  return row?.now
}

/**
 * Adds a delivery behind those that wait, and makes the webhook due if none did; the caller holds its lock. The oldest
 * make room; answers how many were dropped for that. The times are parameters, as Citus wants them.
 */
async function enqueue(tx: Tx, projectId: ProjectId, { id, body }: NewDelivery, at: Date): Promise<number> {
  const kept = WEBHOOK_LIMITS.waitingPerProjectRowsMax - 1
  const numbered = await sqlOf(tx)<{ place: string }[]>`
    update webhooks set last_place = last_place + 1,
      due_at = case when due_at is null then ${at}::timestamptz else due_at end
    where project_id = ${projectId} returning last_place::text as place`
  const { place } = confirmRow(numbered)
  const added = await sqlOf(tx)`
    insert into webhook_deliveries (project_id, place, id, body, attempts, created_at)
    values (${projectId}, ${place}, ${id}, ${body}, 0, ${at})`
  confirmCompleted(added, 'INSERT', 1)
  const dropped = await sqlOf(tx)`
    delete from webhook_deliveries where project_id = ${projectId} and place <= (
      select place from webhook_deliveries where project_id = ${projectId} and place < ${place}
      order by place desc offset ${kept} limit 1)`
  return confirmCompleted(dropped, 'DELETE').count
}

/** Sets the webhook, in use from here on, and gives it. What waits is due at once, unless an attempt is under way. */
async function set(tx: Tx, { projectId, url, secret, keyId }: NewWebhook): Promise<Webhook> {
  const [clock] = await sqlOf(tx)<{ now: Date }[]>`select now() as now`
  const at = clock?.now ?? new Date(0)
  const fresh = {
    ...{ url, secret: secret.bytes, secretKeyId: secret.keyId, createdAt: at, keyId },
    ...{ disabledAt: null, failures: 0, slow: false, lastFailure: null },
  }
  const { dueAt, lease, edition } = webhooks
  const written = await ormOf(tx)
    .insert(webhooks)
    .values({ projectId, edition: 1, ...fresh })
    .onConflictDoUpdate({
      target: webhooks.projectId,
      set: {
        ...fresh,
        edition: sql`${edition} + 1`,
        dueAt: sql`case when ${dueAt} is null or ${lease} is not null then ${dueAt} else ${at}::timestamptz end`,
      },
    })
  confirmCompleted(written, 'INSERT', 1)
  return confirmRow([await findWebhook(ormOf(tx), projectId)].filter((webhook) => webhook !== undefined))
}

/** Removes the webhook and what waits for it; says whether it was there. */
async function remove(tx: Tx, projectId: ProjectId): Promise<boolean> {
  const gone = confirmCompleted(await ormOf(tx).delete(webhooks).where(eq(webhooks.projectId, projectId)), 'DELETE')
  const waiting = await ormOf(tx).delete(webhookDeliveries).where(eq(webhookDeliveries.projectId, projectId))
  confirmCompleted(waiting, 'DELETE')
  return gone.count > 0
}

async function findWebhook(orm: Orm, projectId: ProjectId): Promise<Webhook | undefined> {
  const { url, createdAt, keyId, disabledAt, failures, lastFailure, dueAt } = webhooks
  const waiting = sql<string>`(
    select count(*) from ${webhookDeliveries} where ${webhookDeliveries.projectId} = ${projectId}::uuid)`
  const [row] = await orm
    .select({ url, createdAt, keyId, disabledAt, failures, lastFailure, dueAt, waiting })
    .from(webhooks)
    .where(eq(webhooks.projectId, projectId))
  return row === undefined ? undefined : { ...row, waiting: Number(row.waiting) }
}

/** The webhook goes first: from then on nothing is added. */
async function eraseChunk(tx: Tx, projectId: ProjectId, rowsMax: number): Promise<number> {
  const inTx = sqlOf(tx)
  const webhook = await inTx`delete from webhooks where project_id = ${projectId}`
  const waiting = await eraseRows(inTx, { table: 'webhook_deliveries', key: ['place'], projectId, rowsMax })
  return confirmCompleted(webhook, 'DELETE').count + waiting
}
