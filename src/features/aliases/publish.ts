import { randomUUID } from 'node:crypto'
import type { ProjectId } from '../../access/principal.js'
import { isoTime } from '../../core/lockfile/index.js'
import type { Announce } from '../../db/messages.js'
import type { Transact, Tx } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { NO_EPOCH } from './etags.js'
import { refuseOtherRevision } from './expectations.js'
import type { Head, Removed, WrittenBinding } from './head.js'
import { digestsOf, type LockDocument } from './lock-document.js'
import type { LockDocuments } from './lock-documents.js'
import { nameable, nextDocument, refuseExcess, touched } from './next-revision.js'
import type { Entered } from './publish-store.js'
import type { Snapshots } from './snapshots.js'
import type { AliasStore } from './store.js'

export type PublishDeps = {
  readonly transact: Transact
  readonly announce: Announce
  readonly store: AliasStore
  readonly documents: LockDocuments
  readonly snapshots: Pick<Snapshots, 'raiseFloor'>
  readonly clock: Clock
  /** Called in the transaction of every change: what has to commit with it. */
  readonly onPublished: OnPublished
}
export type OnPublished = (tx: Tx, change: PublishedChange) => Promise<void>
type PublishedChange = {
  readonly projectId: ProjectId
  readonly revision: number
  readonly profiles: readonly string[]
  /** Of the lockfile. */
  readonly digest: string | undefined
}

/** What a change shall do. Of several bindings of one alias the last one counts; none is also removed. */
type Plan = {
  readonly set?: readonly Binding[]
  readonly remove?: readonly Pick<AliasKey, 'profile' | 'alias'>[]
  /** What the lockfile shall hold beside its bindings: a header as `headerText` writes it, and its `updated_at`. */
  readonly lock?: WantedLock
}
type WantedLock = { readonly header: string; readonly updatedAt: string }
export type PublishRequest = {
  readonly writer: Writer
  readonly kind: Entered['kind']
  readonly note?: string | undefined
  /** Throws `precondition-failed` if one of the profiles (none: any) changed after this revision. */
  readonly expected?: { readonly revision: number; readonly profiles: readonly string[] } | undefined
  /**
   * Reads, in the transaction and with the project's aliases locked, what it needs to decide, and says what to change.
   * What it throws leaves everything as it was.
   */
  readonly plan: (tx: Tx, head: Head) => Plan | Promise<Plan>
  /** Reads what the caller is told, after the change and in its transaction. */
  readonly after?: (tx: Tx, published: Published) => Promise<void>
}
/** `revision`: the one that holds now, new if `changed`. */
export type Published = {
  readonly changed: boolean
  readonly epoch: string
  readonly revision: number
  readonly bindings: readonly WrittenBinding[]
  readonly removed: Removed['keys']
  /** Those that changed. */
  readonly profiles: readonly string[]
  /** Of the lockfile at `revision`. */
  readonly lockDigest: string | undefined
  /** The row, if the plan set one binding and that changed. */
  readonly alias: Alias | undefined
}

/**
 * The one way in which aliases change: in one transaction it locks the project's head, asks the plan, writes what
 * differs from what is bound with its history, takes the next revision, and tells every instance. A plan that changes
 * nothing takes no revision and wakes nothing. Throws `conflict` at the project's number of aliases, `project-full` at
 * its bytes, and what the plan throws.
 */
export async function publish(deps: PublishDeps, request: PublishRequest): Promise<Published> {
  const { projectId } = request.writer
  const { document, ...published } = await deps.transact(async (tx) => {
    const result = await publishIn(tx, deps, request)
    await request.after?.(tx, result)
    return result
  })
  // Crash before this line: the commit stands, the caller does not know; sending the same again changes nothing.
  deps.documents.keep(projectId, document)
  if (published.changed) deps.snapshots.raiseFloor(projectId, published.revision, published.profiles)
  return published
}

async function publishIn(
  tx: Tx,
  deps: PublishDeps,
  request: PublishRequest,
): Promise<Published & { readonly document: LockDocument }> {
  const { store } = deps
  const { writer } = request
  const { projectId } = writer
  const before = (await store.lockHead(tx, projectId)) ?? (await makeHead(tx, store, request))
  await refuseOtherRevision(store, tx, before, projectId, request.expected)
  const { set = [], remove = [], lock } = await request.plan(tx, before)
  const known = await deps.documents.read(tx, projectId, before)
  const step = { writer, at: new Date(deps.clock()) }
  const gone = remove.length === 0 ? NOTHING_GONE(before) : await store.remove(tx, { ...step, head: before }, remove)
  const wanted = lastOfEach(set)
  const written =
    wanted.length === 0 ? NOTHING_WRITTEN(gone.head) : await store.write(tx, { ...step, head: gone.head }, wanted)
  const { bindings, alias } = written
  const change = { bindings, removed: gone.keys }
  const result = { epoch: before.epoch, ...change, alias }
  const isOther = lock !== undefined && (lock.header !== known.header?.text || lock.updatedAt !== known.updatedAt)
  if (bindings.length === 0 && gone.keys.length === 0 && !isOther) {
    const lockDigest = digestsOf(known)?.current
    return { ...result, changed: false, revision: before.revision, profiles: [], lockDigest, document: known }
  }

  const head = { ...written.head, revision: before.revision + 1 }
  refuseExcess(before, head)
  const document = nextDocument(known, change, head, lock ?? { header: undefined, updatedAt: isoTime(step.at) })
  const profiles = touched(change, known, document)
  const digests = digestsOf(document)
  const lockDigest = digests?.current
  await enter(tx, deps, request, { head, document, digests: Object.values(digests ?? {}), profiles, at: step.at })
  return { ...result, changed: true, revision: head.revision, profiles, lockDigest, document }
}

type Entry = {
  readonly head: Head
  readonly document: LockDocument
  /** Of the document, the one of today's rule first. */
  readonly digests: readonly string[]
  readonly profiles: readonly string[]
  readonly at: Date
}

/** What every revision leaves beside its bindings; then every instance is told. */
async function enter(tx: Tx, deps: PublishDeps, request: PublishRequest, entry: Entry): Promise<void> {
  const { head, document, digests, profiles, at } = entry
  const { kind, note = null, writer } = request
  const { projectId, keyId } = writer
  const { header, updatedAt } = document
  const { revision } = head
  const change = { projectId, revision, profiles }
  const lock = { lockUpdatedAt: updatedAt ?? null, headerRevision: header?.revision ?? null, digests }
  const newHeader = header?.revision === revision ? header.text : null
  const row = { kind, note, profiles: [...profiles], keyId, changedAt: at, ...lock, header: newHeader }
  // Sent one behind the other; none may still be under way when another's failure ends the transaction.
  const outcomes = await Promise.allSettled([
    deps.store.enter(tx, projectId, head, row),
    deps.onPublished(tx, { ...change, digest: digests[0] }),
    deps.announce(tx, { kind: 'aliases-changed', ...change, profiles: nameable(profiles) }),
  ])
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** The head of a project's first change. One that changes nothing leaves none. */
async function makeHead(tx: Tx, store: AliasStore, { writer, plan }: PublishRequest): Promise<Head> {
  const { set = [], lock } = await plan(tx, NO_HEAD)
  return set.length === 0 && lock === undefined ? NO_HEAD : store.makeHead(tx, writer.projectId, randomUUID())
}

/** Of a project that never had an alias. */
const NO_HEAD: Head = {
  epoch: NO_EPOCH,
  ...{ revision: 0, lastId: 0, lastPlace: 0, aliasCount: 0, metadataBytes: 0, namesBytes: 0 },
}

const NOTHING_GONE = (head: Head) => ({ head, keys: [] })
const NOTHING_WRITTEN = (head: Head) => ({ head, bindings: [], alias: undefined })

function lastOfEach(bindings: readonly Binding[]): readonly Binding[] {
  if (bindings.length < 2) return bindings
  return [...new Map(bindings.map((binding) => [JSON.stringify([binding.profile, binding.alias]), binding])).values()]
}
