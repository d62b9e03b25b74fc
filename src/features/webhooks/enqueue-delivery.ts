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

/**
 * Adds the delivery that tells of a revision to those that wait, in the transaction that writes the revision: both are
 * committed or none is. A project without a webhook costs one look-up.
 */
export async function enqueueDelivery(deps: EnqueueDeps, tx: Tx, published: Published): Promise<void> {
  const at = await deps.store.lockActive(tx, published.projectId)
  if (at === undefined) return
  const { projectId, revision } = published
  const delivery = { revision, id: deps.newId(), body: bodyOf(published, at) }
  deps.onEnqueued(projectId, await deps.store.enqueue(tx, projectId, delivery, at))
}

/** `profiles` is null if there are too many to name. */
function bodyOf({ projectId, revision, profiles, digest }: Published, at: Date): string {
  const named = Buffer.byteLength(JSON.stringify(profiles)) <= WEBHOOK_LIMITS.profilesBytesMax ? profiles : null
  const data = { project_id: projectId, revision, profiles: named, ...(digest == null ? {} : { digest }) }
  return JSON.stringify({ type: 'aliases.changed', timestamp: at.toISOString(), data })
}
