import type { Policy } from '../../core/tlog/index.js'
import type { Sql } from '../../db/client.js'
import type { Announce } from '../../db/messages.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Feature } from '../contract.js'
import { createCheckStore } from './check/check-store.js'
import { type FsckDeps, type FsckReport, fsck } from './check/fsck.js'
import type { GuardSettings } from './guard/create-guard.js'
import { createHeadStore } from './head-store.js'
import { createLogSigner } from './log-key.js'
import { mountLog } from './routes.js'
import { createRunningLog } from './running-log.js'
import type { OnStep } from './sequence/durable-step.js'
import { insertPending } from './sequence/pending-store.js'
import type { TransparencyLog } from './transparency-log.js'

type LogConfig = {
  /** 32 bytes. */
  readonly seed: Uint8Array
  readonly origin: string
  readonly guard: GuardSettings
  /** Who is asked to cosign; null for nobody. */
  readonly policy: Policy | null
}

export type TransparencyDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly announce: Announce
  readonly logger: Logger
  readonly metrics: Metrics
  /** Null: there is no log here. What is appended waits until there is one. */
  readonly settings: LogConfig | null
  readonly onStep?: OnStep
}

export type TransparencyFeature = ReturnType<typeof createTransparency>

const NO_LOG = 'llmring.local/no-log'

/** The name of the log that this database holds; undefined if none has begun. */
export async function findLogOrigin(orm: Orm): Promise<string | undefined> {
  return (await createHeadStore(orm).find())?.origin
}

/** A check of the whole log in a database. */
export function openFsck(sql: Sql) {
  const store = createCheckStore(sql)
  return (deps: Omit<FsckDeps, 'store'>): Promise<FsckReport> => fsck({ ...deps, store })
}

const signerOf = ({ origin, seed }: LogConfig) => createLogSigner(origin, seed)

/** The log of what was signed here (c2sp.org/tlog-tiles). Throws `ConfigurationError` for a key that cannot be used. */
export function createTransparency(deps: TransparencyDeps) {
  const { settings } = deps
  const running = settings === null ? null : createRunningLog({ ...deps, ...settings, signer: signerOf(settings) })
  const origin = settings?.origin ?? NO_LOG
  const log: TransparencyLog = {
    append: async (tx, entries) => {
      running?.suspension.refuse()
      await insertPending(tx, entries)
      running?.sequencer.expectLeaves()
    },
    refuseWhileSuspended: () => running?.suspension.refuse(),
    waitLogged: async (entry, msMax, signal) => running?.waiters.wait(entry, msMax, signal) ?? false,
    prove: async (entry) => running?.verbs.prove(entry) ?? null,
    snapshot: async () => running?.verbs.snapshot() ?? null,
    origin,
    promise: { max_merge_delay_seconds: 60, origin },
  }
  return {
    name: 'log',
    mount: (app, guards) => {
      if (running !== null) mountLog(app, guards, running.verbs, running.facts)
    },
    start: async () => running?.start(),
    close: async () => running?.close(),
    remarks: () => running?.remarks() ?? [],
    ready: () => running === null || running.suspension.reason() === null,
    onMessage: { 'log-checkpoint': (message) => running?.onCheckpoint(message) },
    onMissedMessages: () => running?.sequencer.lookAround(),
    log,
  } satisfies Feature & Record<string, unknown>
}
