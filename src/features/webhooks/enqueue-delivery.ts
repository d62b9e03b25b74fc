import type { ProjectId } from '../../access/principal.js'
import type { Tx } from '../../db/transact.js'
import { WEBHOOK_LIMITS } from './limits.js'
import type { WebhookStore } from './store.js'

/** A revision that a transaction writes. */
export type Published = {
  readonly projectId: ProjectId
  readonly revision: number
  /** The profiles that it changes. */
  readonly profiles: readonly string[]
  /** Of its lockfile. */
  readonly digest?: string | null | undefined
}

export type EnqueueDeps = {
  readonly store: Pick<WebhookStore, 'lockActive' | 'enqueue'>
  readonly newId: () => string
  /** Told of each delivery that is added, before its commit, and how many others were dropped for it. */
  readonly onEnqueued: (projectId: ProjectId, dropped: number) => void
}

/** What a receiver is told beside alias changes. */
export type WebhookEvent = {
  readonly projectId: ProjectId
  readonly type: string
  /** An object that `JSON.stringify` can write. */
  readonly data: object
}

/**
 * Adds the delivery that tells of a revision to those that wait, in the transaction that writes the revision: both are
 * committed or none is. A project without a webhook costs one look-up.
 */
export function enqueueDelivery(deps: EnqueueDeps, tx: Tx, published: Published): Promise<void> {
  return enqueueEvent(deps, tx, {
    projectId: published.projectId,
    type: 'aliases.changed',
    data: dataOf(published),
  })
}

/** The same for any other event. */
export async function enqueueEvent(deps: EnqueueDeps, tx: Tx, { projectId, type, data }: WebhookEvent): Promise<void> {
  const at = await deps.store.lockActive(tx, projectId)
  if (at === undefined) return
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data })
  deps.onEnqueued(projectId, await deps.store.enqueue(tx, projectId, { id: deps.newId(), body }, at))
}

/** `profiles` is null if there are too many to name. */
function dataOf({ projectId, revision, profiles, digest }: Published): object {
  const named = Buffer.byteLength(JSON.stringify(profiles)) <= WEBHOOK_LIMITS.profilesBytesMax ? profiles : null
  return { project_id: projectId, revision, profiles: named, ...(digest == null ? {} : { digest }) }
}
