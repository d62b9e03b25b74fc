import { randomUUID } from 'node:crypto'
import type { ProjectId } from '../../access/principal.js'
import { differentProfiles, headerText, isoTime, newHeader, parseHeader } from '../../core/lockfile/index.js'
import type { Announce } from '../../db/messages.js'
import type { Transact, Tx } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { NO_EPOCH } from './etags.js'
import { refuseOtherRevision } from './expectations.js'
import { ALIAS_LIMITS } from './limits.js'
import { changeProfiles, digestsOf, type LockChange, type LockDocument } from './lock-document.js'
import type { LockDocuments } from './lock-documents.js'
import type { Head, Removed, RevisionRow, WrittenBinding } from './publish-store.js'
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
  readonly kind: RevisionRow['kind']
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

/** The lockfile of the new revision. A project's first one begins with the revision. */
function nextDocument(
  known: LockDocument,
  change: LockChange,
  { epoch, revision }: Head,
  { header, updatedAt }: { readonly header: string | undefined; readonly updatedAt: string },
): LockDocument {
  const text = header ?? known.header?.text ?? headerText(newHeader(updatedAt))
  const isKept = text === known.header?.text
  const profiles = changeProfiles(known.profiles, change)
  return { epoch, revision, updatedAt, profiles, header: isKept ? known.header : { text, revision } }
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
  const lock = { lockUpdatedAt: updatedAt ?? null, headerRevision: header?.revision ?? null }
  const change = { projectId, revision, profiles }
  await deps.store.advance(tx, projectId, head, { kind, note, profiles: [...profiles], keyId, changedAt: at, ...lock })
  if (header?.revision === revision) await deps.store.writeHeader(tx, projectId, header)
  await deps.store.writeDigests(tx, projectId, revision, digests)
  await deps.onPublished(tx, { ...change, digest: digests[0] })
  await deps.announce(tx, { kind: 'aliases-changed', ...change, profiles: nameable(profiles) })
}

/** The profiles that a change is about: those of its bindings, and those of which the lockfile says something else. */
function touched({ bindings, removed }: LockChange, before: LockDocument, after: LockDocument): string[] {
  const changed = [...bindings, ...removed].map(({ profile }) => profile)
  const isOther = before.header !== undefined && after.header !== undefined && before.header !== after.header
  const named = isOther ? differentProfiles(parseHeader(before.header.text), parseHeader(after.header.text)) : []
  return [...new Set([...changed, ...named])].sort()
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

/** A notification has a limit: of too many profiles none is named, which means all. */
function nameable(profiles: readonly string[]): readonly string[] | undefined {
  return Buffer.byteLength(JSON.stringify(profiles)) <= ALIAS_LIMITS.announcedProfilesBytesMax ? profiles : undefined
}

function lastOfEach(bindings: readonly Binding[]): readonly Binding[] {
  if (bindings.length < 2) return bindings
  return [...new Map(bindings.map((binding) => [JSON.stringify([binding.profile, binding.alias]), binding])).values()]
}

/** A write that makes the project smaller passes, wherever the project is. */
function refuseExcess(before: Head, after: Head): void {
  const { aliasesPerProjectMax, metadataBytesPerProjectMax, namesBytesPerProjectMax } = ALIAS_LIMITS
  if (after.aliasCount > Math.max(before.aliasCount, aliasesPerProjectMax)) {
    throw new AppError('conflict', `A project has at most ${aliasesPerProjectMax} aliases; nothing was written.`)
  }
  const refuse = (what: string, bytesMax: number): never => {
    const detail = `The ${what} of a project's aliases have at most ${bytesMax} bytes together; nothing was written.`
    throw new AppError('project-full', detail)
  }
  if (after.metadataBytes > Math.max(before.metadataBytes, metadataBytesPerProjectMax)) {
    refuse('metadata and constraints', metadataBytesPerProjectMax)
  }
  if (after.namesBytes > Math.max(before.namesBytes, namesBytesPerProjectMax)) {
    refuse('profiles, names and models', namesBytesPerProjectMax)
  }
}
