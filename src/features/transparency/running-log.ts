import { randomUUID } from 'node:crypto'
import type { NoteKey, Policy } from '../../core/tlog/index.js'
import { monotonicClock, systemClock } from '../../platform/clock.js'
import { every } from '../../platform/every.js'
import { measureLog } from './check/measure-log.js'
import { openSnapshot } from './check/open-snapshot.js'
import { createCheckpointStore, createWitnessedStore, type WitnessedStore } from './checkpoint-store.js'
import { currentCheckpoint } from './current-checkpoint.js'
import type { TransparencyDeps } from './feature.js'
import { createGuard, type GuardSettings } from './guard/create-guard.js'
import { judgeHead } from './guard/guard.js'
import { createSuspension, type Suspension, type SuspensionReason } from './guard/suspension.js'
import { createHeadStore } from './head-store.js'
import { TRANSPARENCY_LIMITS } from './limits.js'
import type { LogSigner } from './log-key.js'
import { openLog } from './open-log.js'
import { createPublished, type Published } from './published.js'
import { createPurge } from './purge-checkpoints.js'
import type { LogVerbs } from './routes.js'
import { createPoll } from './sequence/poll.js'
import { publishHead } from './sequence/publish-head.js'
import { sequencePending } from './sequence/sequence.js'
import { createSequencer } from './sequence/sequencer.js'
import { proveConsistency, proveEntry, proveHash } from './serve/prove-entry.js'
import { recallTile, serveTile } from './serve/serve-tile.js'
import { createTileStore, type TileStore } from './serve/tile-store.js'
import { createTiles, type Tiles } from './serve/tiles.js'
import { createWaiters } from './serve/wait-logged.js'
import { createFirstWitnessed } from './witness/first-witnessed.js'
import { createLastWitnessed } from './witness/last-witnessed.js'
import { createLeaseStore } from './witness/lease-store.js'
import { createWitnesses } from './witness/witnesses.js'

export type RunningLogDeps = Omit<TransparencyDeps, 'settings'> & {
  readonly signer: LogSigner
  readonly guard: GuardSettings
  /** Null: no witness is asked. */
  readonly policy: Policy | null
}

/** What a log has in memory. */
type LogMemory = {
  readonly published: Published
  readonly suspension: Suspension
  readonly tiles: Tiles
  readonly store: TileStore
}

/** A log that has a key: what it remembers, and who looks after it. Nothing runs before `start`. */
export function createRunningLog(deps: RunningLogDeps) {
  const { sql, orm, logger, signer } = deps
  const store = createTileStore(sql)
  const checkpoints = createCheckpointStore(sql)
  const tiles = createTiles(store)
  const published = createPublished(monotonicClock)
  const guard = createGuard(deps.guard, signer.key)
  const suspension = createSuspension((reason) => {
    if (reason === null) logger.info({}, 'the log is signed again')
    else logger.error({ reason }, 'the log is suspended: no checkpoints are signed and no receipts are issued')
    tiles.forget()
  })
  const memory = { published, suspension, tiles, store }
  const sequencer = createSequencer({
    ...sequencing(deps, memory, guard, checkpoints),
    ...{ suspension, now: monotonicClock, logger },
  })
  const waiters = openWaiters(memory)
  const witnesses = openWitnesses(deps, memory, guard)
  measureLog(deps.metrics, { polled: sequencer.polled, published, suspension, waiting: waiters.count })
  const pauseMs = TRANSPARENCY_LIMITS.purgePauseMs
  const purge = createPurge({ ...checkpoints, clock: systemClock })
  const purging = every({ name: 'delete checkpoints', logger, pauseMs, run: purge })
  return {
    ...{
      suspension,
      sequencer,
      waiters,
      verbs: verbsOf(memory, signer.key, deps.policy, createWitnessedStore(sql)),
    },
    remarks: () => remarksOn(guard.kind, suspension.reason()),
    facts: { key: signer.key, guard: guard.kind, policy: deps.policy },
    onCheckpoint: (told: { readonly size: number; readonly witnesses: number }): void => {
      if (!published.isKnown(told)) sequencer.lookAround()
    },
    /** Throws `ConfigurationError` if the database holds another log. */
    start: async () => {
      await openLog({ heads: createHeadStore(orm), checkpoints, logKey: signer.key })
      await guard.recall()
      await witnesses?.start((await checkpoints.newest()) ?? null)
      await sequencer.start()
      purging.startLater()
    },
    close: async () => {
      waiters.close()
      await Promise.all([purging.stop(), witnesses?.close()])
      await sequencer.stop()
    },
  }
}

/** What an operator should see at a glance. */
function remarksOn(guard: GuardSettings['kind'], reason: SuspensionReason | null): string[] {
  const remarks = guard === 'none' ? ['nothing notices a rollback of the database (LLMRING_TLOG_GUARD=none)'] : []
  return reason === null ? remarks : [...remarks, `suspended: ${reason}`]
}

function openWaiters({ published, store }: LogMemory) {
  const publishedSize = () => published.current()?.size ?? 0
  const waiters = createWaiters({ publishedSize, findIndices: store.findIndices })
  published.onAdvance(waiters.look)
  return waiters
}

function openWitnesses(
  { sql, policy, signer, transact, announce, logger, metrics }: RunningLogDeps,
  { published, suspension, tiles }: LogMemory,
  guard: ReturnType<typeof createGuard>,
) {
  if (policy === null) return null
  return createWitnesses({
    policy,
    signer,
    transact,
    announce,
    logger,
    metrics,
    published,
    guard,
    ...{ readTiles: tiles.read, isBarred: suspension.isBarred, leases: createLeaseStore(sql), instance: randomUUID() },
  })
}

/** What a turn does. */
function sequencing(
  { transact, announce, signer, onStep = () => undefined }: RunningLogDeps,
  { published, suspension, tiles }: LogMemory,
  guard: ReturnType<typeof createGuard>,
  store: ReturnType<typeof createCheckpointStore>,
) {
  const looked = { store, guard, logKey: signer.key, published, suspension }
  return {
    poll: createPoll({ ...looked, readTiles: tiles.read, now: monotonicClock }),
    sequence: () => {
      // Before the head is read: what is remembered later may be of a larger one.
      const remembered = guard.known()
      return sequencePending({ transact, onStep, judge: (...head) => judgeHead(remembered, ...head) })
    },
    publish: (head: Parameters<typeof publishHead>[1]) =>
      publishHead({ signer, guard, transact, announce, published, onStep }, head),
  }
}

function verbsOf(
  { published, suspension, tiles, store }: LogMemory,
  logKey: NoteKey,
  policy: Policy | null,
  witnessed: WitnessedStore,
) {
  const shown = { published, refuseWhileBarred: suspension.refuseWhileBarred }
  const firstWitnessed = createFirstWitnessed(policy, witnessed)
  const proving = { ...shown, store, readTiles: tiles.read, firstWitnessed }
  const serving = { ...shown, tiles, store }
  return {
    currentCheckpoint: () => currentCheckpoint(shown),
    witnessedCheckpoint: createLastWitnessed({ ...shown, policy, store: witnessed, now: monotonicClock }),
    serveTile: (path) => serveTile(serving, path),
    recallTile: (path) => recallTile(serving, path),
    prove: (entry: Uint8Array) => proveEntry(proving, entry),
    snapshot: () => openSnapshot({ ...proving, logKey }),
    proveHash: (entry) => proveHash(proving, entry),
    proveConsistency: (range) => proveConsistency(proving, range),
  } satisfies LogVerbs & Record<string, unknown>
}
