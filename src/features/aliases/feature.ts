import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Announce } from '../../db/messages.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import { type Clock, monotonicClock } from '../../platform/clock.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Reach } from '../../platform/reach.js'
import type { Feature } from '../contract.js'
import { listKind } from './alias-listing.js'
import { warningsOfMany, wildcardWarnings } from './binding-warnings.js'
import { type BoundProfile, loadBound } from './bound-store.js'
import { deleteAlias } from './delete-alias.js'
import { exportAliases, exportHead, exportHistory, exportRevisionRows } from './export-aliases.js'
import { createExportStore } from './export-store.js'
import { listAliases, pageOfAliases } from './list-aliases.js'
import { warmAlias, warmList } from './listing-responses.js'
import { createListingStore } from './listing-store.js'
import { createLockDocuments } from './lock-documents.js'
import { readNote } from './note.js'
import { type OnPublished, type Published, type PublishRequest, publish } from './publish.js'
import { resolveAlias } from './resolve-alias.js'
import { type Bound, listBound, resolveBound } from './resolve-bound.js'
import { resolveKind } from './resolve-snapshot.js'
import { mountAliases } from './routes.js'
import { setAlias, setAliases } from './set-aliases.js'
import { showAlias } from './show-alias.js'
import { createSnapshots, type Snapshots } from './snapshots.js'
import { createStaleMarks, type MarkStale } from './stale-headers.js'
import { type AliasStore, createAliasStore } from './store.js'
import { warmResolve } from './warm-resolve.js'
import type { RegistryNow } from './wildcard-answer.js'

export type AliasesDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly announce: Announce
  /** How old our knowledge of what other instances committed may be, in milliseconds. */
  readonly ageMs: () => number
  readonly reach: Reach
  /** How long what was known is answered while the database is away, in seconds. */
  readonly staleSecondsMax: number
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>
  readonly clock: Clock
  /** Called in the transaction of every change. */
  readonly onPublished: OnPublished
  /** Decides what a wildcard means. */
  readonly registry: RegistryNow
}

export type AliasesFeature = Feature & {
  /** A profile's models, each once. */
  loadBound(projectId: ProjectId, profile: string): Promise<BoundProfile>
  /** What an alias is bound to, primary first; null if it is not bound. In memory on the warm path. */
  resolveBound(projectId: ProjectId, profile: string, alias: string): Bound | Promise<Bound>
  /** The names of a profile's aliases. */
  listBound(projectId: ProjectId, profile: string): Promise<readonly string[]>
  /** For the features that change aliases in their own way. */
  publish(request: PublishRequest): Promise<Published>
  readonly readNote: typeof readNote
  /** Lockfiles are published as aliases are, and stand in the same memory. */
  readonly forLockfiles: {
    readonly publish: (request: PublishRequest) => Promise<Published>
    readonly readNote: typeof readNote
    readonly keep: Snapshots['keep']
    readonly markStale: MarkStale
  }
}

export function createAliases(deps: AliasesDeps): AliasesFeature {
  const store = createAliasStore(deps)
  const { reach } = deps
  const { snapshots, markStale } = createMemory(deps, store)
  const answers = snapshots.keep(resolveKind(store.loadProfile, deps.registry))
  const { readListing, findListed } = createListingStore(deps.sql)
  const lists = snapshots.keep(listKind(readListing))
  const writing = { ...deps, store, snapshots, documents: createLockDocuments(store) }
  const publishAliases = (request: PublishRequest) => publish(writing, request)
  return {
    name: 'aliases',
    mount: (app, guards) =>
      mountAliases(app, guards, {
        list: (projectId, input) => listAliases(store.listPage, projectId, input),
        page: (projectId, input) => pageOfAliases(store.listPage, projectId, input),
        listing: (projectId, profile) => lists.get(projectId, profile, ''),
        warmList: warmList(lists, markStale),
        show: (key) => showAlias({ lists, find: findListed, reach, readAhead: snapshots.readAhead, markStale }, key),
        warmAlias: warmAlias(lists, markStale),
        resolve: (key) => resolveAlias(answers, key),
        warmResolve: warmResolve(answers, markStale),
        markStale,
        set: (writer, binding, options) => setAlias(writing, writer, binding, options),
        setMany: (writer, bindings, options) => setAliases(writing, writer, bindings, options),
        wildcardWarnings: (alias) => wildcardWarnings(deps.registry, alias),
        warningsOfMany: ({ bindings }) => warningsOfMany(deps.registry, bindings),
        remove: (writer, key, options) => deleteAlias(writing, writer, key, options),
      }),
    loadBound: (projectId, profile) => loadBound(deps.sql, projectId, profile),
    erase: (projectId, rowsMax) => deps.transact((tx) => store.eraseChunk(tx, projectId, rowsMax)),
    export: exportsOf(deps.sql, store),
    onMessage: {
      'aliases-changed': ({ projectId, revision, profiles }) =>
        snapshots.raiseFloor(projectId as ProjectId, revision, profiles),
    },
    resolveBound: (projectId, profile, alias) => resolveBound(answers, { projectId, profile, alias }),
    listBound: (projectId, profile) => listBound(answers, { projectId, profile }),
    publish: publishAliases,
    readNote,
    forLockfiles: { publish: publishAliases, readNote, keep: snapshots.keep, markStale },
    close: snapshots.close,
    onMissedMessages: snapshots.suspectAll,
  }
}

function exportsOf(sql: Sql, store: AliasStore) {
  const exporting = createExportStore(sql)
  return {
    alias_head: (projectId) => exportHead(store, projectId),
    alias: (projectId, after, rowsMax) => exportAliases(exporting, projectId, after, rowsMax),
    alias_change: (projectId, after, rowsMax) => exportHistory(exporting, projectId, after, rowsMax),
    alias_revision: (projectId, after, rowsMax) => exportRevisionRows(exporting.revisions, projectId, after, rowsMax),
    lock_header: (projectId, after, rowsMax) => exportRevisionRows(exporting.headers, projectId, after, rowsMax),
    lock_digest: (projectId, after, rowsMax) => exportRevisionRows(exporting.digests, projectId, after, rowsMax),
  } satisfies Feature['export']
}

/** What memory holds of aliases, and how responses say how old that is. */
function createMemory({ ageMs, reach, staleSecondsMax, metrics }: AliasesDeps, store: AliasStore) {
  const staleMsMax = staleSecondsMax * 1000
  const snapshots = createSnapshots({ readHeads: store.readHeads, ageMs, reach, staleMsMax, clock: monotonicClock })
  const held = 'Profiles that memory holds: resolved, listed or as a lockfile.'
  metrics.gauge('llmring_alias_snapshots', held, snapshots.count)
  const stale = metrics.counter('llmring_stale_answers_total', 'Answers from memory while the database was away.')
  return { snapshots, markStale: createStaleMarks(stale.increment) }
}
