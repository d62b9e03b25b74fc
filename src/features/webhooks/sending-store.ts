import type { ProjectId } from '../../access/principal.js'
import type { Sql, Statements } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { Claim, Outcome, Settled } from './webhook.js'

export type SendingStore = ReturnType<typeof createSendingStore>

/** A webhook that is due, and the database's time at which it was found. */
export type Due = { readonly projectId: ProjectId; readonly now: Date }

/** What instances that send share. Times are the database's: their clocks may differ. */
export function createSendingStore(sql: Sql) {
  return {
    /** The webhooks that are due, longest first: those that were slow the last time, or the others. */
    listDue: (slow: boolean, rowsMax: number): Promise<readonly Due[]> =>
      sql<Due[]>`
        select project_id as "projectId", now() as now from webhooks
        where slow = ${slow} and due_at <= now() order by due_at limit ${rowsMax}`,

    claim: (due: Due, lease: string) => claim(sql, due, lease),
    settle,
  }
}

type ClaimedRow = {
  readonly url: string
  readonly secret: Uint8Array
  readonly secretKeyId: string
  readonly edition: number
  readonly failures: number
  readonly place: number | null
  readonly id: string
  readonly body: string
}

/**
 * Takes a project's next delivery, unless another instance was faster: of two that run this at once, the second waits
 * for the first one's commit and finds the webhook not due any more.
 */
async function claim(sql: Sql, { projectId, now }: Due, lease: string): Promise<Claim | undefined> {
  const until = new Date(now.getTime() + WEBHOOK_LIMITS.leaseMs)
  const [row] = await sql<ClaimedRow[]>`
    with claimed as (
      update webhooks set due_at = ${until}::timestamptz, lease = ${lease}::uuid
      where project_id = ${projectId} and due_at <= ${now}::timestamptz
      returning url, secret, secret_key_id, edition, failures
    ), next as (
      select place, id, body from webhook_deliveries where project_id = ${projectId} order by place limit 1
    )
    select url, secret, secret_key_id as "secretKeyId", edition, failures, next.place::float8 as place, id, body
    from claimed left join next on true`
  if (row === undefined) return undefined
  const { url, secret: bytes, secretKeyId: keyId, edition, failures, place, id, body } = row
  const delivery = place === null ? undefined : { place, id, body }
  return { projectId, lease, url, secret: { bytes, keyId }, edition, failures, delivery }
}

/**
 * Writes down what became of an attempt and gives the webhook back; undefined if another attempt has it by now. Whether
 * more waits is a statement of its own, after the lock: what was added while it was waited for has to be seen.
 */
async function settle(tx: Tx, taken: Claim, outcome: Outcome): Promise<Settled | undefined> {
  const inTx = sqlOf(tx)
  const { projectId, lease, edition } = taken
  const [held] = await inTx<{ edition: number; now: Date }[]>`
    select edition, now() as now from webhooks where project_id = ${projectId} and lease = ${lease} for update`
  if (held === undefined) return undefined
  // Another receiver, or another secret, was set meanwhile: it gets the same delivery.
  const known: Outcome = held.edition === edition ? outcome : { status: 'interrupted' }
  const dropped = await takeAway(inTx, taken, known, held.now)
  const [next] = await inTx`select 1 from webhook_deliveries where project_id = ${projectId} limit 1`
  const more = next !== undefined && known.status !== 'gone'
  const pauseMs = known.status === 'failed' ? known.pauseMs : 0
  const dueAt = more ? new Date(held.now.getTime() + pauseMs) : null
  confirmCompleted(await giveBack(inTx, taken, known, { dueAt, now: held.now }), 'UPDATE', 1)
  return { dropped, more: more && known.status !== 'failed' }
}

/** Deletes what was delivered, or is given up; answers how many were given up. */
async function takeAway(inTx: Statements, taken: Claim, outcome: Outcome, now: Date): Promise<number> {
  const { projectId, delivery } = taken
  if (outcome.status === 'delivered') {
    const delivered = await inTx`
      delete from webhook_deliveries
      where project_id = ${projectId} and place = ${delivery?.place ?? 0} and id = ${delivery?.id ?? ''}`
    confirmCompleted(delivered, 'DELETE')
  }
  if (outcome.status === 'failed') {
    const attempted = await inTx`
      update webhook_deliveries set attempts = attempts + 1
      where project_id = ${projectId} and place = ${delivery?.place ?? 0}`
    confirmCompleted(attempted, 'UPDATE')
    const since = new Date(now.getTime() - WEBHOOK_LIMITS.retryMsMax)
    const late = await inTx`delete from webhook_deliveries where project_id = ${projectId} and created_at <= ${since}`
    return confirmCompleted(late, 'DELETE').count
  }
  if (outcome.status !== 'gone') return 0
  const unwanted = await inTx`delete from webhook_deliveries where project_id = ${projectId}`
  return confirmCompleted(unwanted, 'DELETE').count
}

type Given = { readonly dueAt: Date | null; readonly now: Date }

function giveBack(inTx: Statements, { projectId, failures }: Claim, outcome: Outcome, { dueAt, now }: Given) {
  if (outcome.status === 'delivered') {
    return inTx`
      update webhooks set lease = null, due_at = ${dueAt}, failures = 0, slow = ${outcome.slow}, last_failure = null
      where project_id = ${projectId}`
  }
  if (outcome.status === 'failed') {
    return inTx`
      update webhooks set lease = null, due_at = ${dueAt}, failures = ${failures + 1}, slow = true,
        last_failure = ${outcome.reason}
      where project_id = ${projectId}`
  }
  if (outcome.status === 'gone') {
    return inTx`
      update webhooks set lease = null, due_at = null, disabled_at = ${now}, last_failure = 'it answered with status 410'
      where project_id = ${projectId}`
  }
  return inTx`update webhooks set lease = null, due_at = ${dueAt} where project_id = ${projectId}`
}
