import { hashEmptyTree } from '../../core/tlog/index.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { ConfigurationError } from '../../platform/configuration-error.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { sha256 } from '../../platform/sha256.js'
import type { Feature } from '../contract.js'
import { createHeadStore } from './head-store.js'
import { createLogSigner } from './log-key.js'
import { insertPending } from './pending-store.js'
import type { TransparencyLog } from './transparency-log.js'

type LogConfig = {
  /** 32 bytes. */
  readonly seed: Uint8Array
  readonly origin: string
  readonly guard: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'witness' | 'none' }
}

export type TransparencyDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** Null: there is no log here. What is appended waits until there is one. */
  readonly settings: LogConfig | null
}

export type TransparencyFeature = ReturnType<typeof createTransparency>

const NO_LOG = 'llmring.local/no-log'

/** The name of the log that this database holds; undefined if none has begun. */
export async function findLogOrigin(orm: Orm): Promise<string | undefined> {
  return (await createHeadStore(orm).find())?.origin
}

/** The log of what was signed here (c2sp.org/tlog-tiles). Throws `ConfigurationError` for a key that cannot be used. */
export function createTransparency(deps: TransparencyDeps) {
  const { settings } = deps
  const origin = settings?.origin ?? NO_LOG
  const signer = settings === null ? null : createLogSigner(origin, settings.seed)
  const log: TransparencyLog = {
    append: insertPending,
    refuseWhileSuspended: () => undefined,
    waitLogged: async () => false,
    prove: async () => null,
    origin,
    promise: { origin, max_merge_delay_seconds: 60 },
  }
  return {
    name: 'log',
    mount: () => undefined,
    start: async () => {
      if (signer !== null) await openHead(deps.orm, origin)
    },
    log,
  } satisfies Feature & Record<string, unknown>
}

/** Throws `ConfigurationError` if the database holds the log of another name. */
async function openHead(orm: Orm, origin: string): Promise<void> {
  const store = createHeadStore(orm)
  await store.insertNew({ origin, size: 0, root: hashEmptyTree(sha256) })
  const head = await store.find()
  if (head === undefined || head.origin === origin) return
  throw new ConfigurationError(
    `The log in this database is '${head.origin}', and the settings name '${origin}'. Set LLMRING_TLOG_ORIGIN and LLMRING_TLOG_PRIVATE_KEY_B64 to those of the log.`,
  )
}
