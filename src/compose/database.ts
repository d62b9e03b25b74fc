import { basename } from 'node:path'
import type { Config } from '../config/config.js'
import { type ClientOptions, createClient, type Database, openDatabase, type Sql } from '../db/client.js'
import { distributeTables } from '../db/distribute.js'
import { openEmbedded } from '../db/embedded/open-embedded.js'
import { explainConnection } from '../db/explain-connection.js'
import { type MigrationResult, migrate, readMigrations } from '../db/migrate.js'
import { createTransact, type Transact } from '../db/transact.js'
import { Aborted, abortable } from '../platform/abortable.js'
import { createLifecycle, type Lifecycle } from '../platform/lifecycle.js'
import type { Logger } from '../platform/logger.js'
import { receiptsKeyFile } from './data-directory.js'
import { SERVICE_LIMITS } from './limits.js'
import { untilItAnswers } from './until-it-answers.js'

export type Connected = {
  /** Around any pooler: LISTEN, session locks, migrations. */
  readonly direct: Omit<ClientOptions, 'connectionsMax'>
  readonly pooled: Omit<ClientOptions, 'connectionsMax'>
  /** Where the data lives, for people. */
  readonly location: string
  readonly lifecycle: Lifecycle
}

export type Resources = Connected & {
  readonly database: Database
  readonly transact: Transact
  readonly migration: MigrationResult
}

/**
 * Starts or finds the database, without asking anything of it yet. `own`: an embedded one is this process's alone (the
 * service); `borrow`: it is shared with a running service (commands);
 * `refill`: as `own`, and a lost one is made anew. Throws `Aborted` if the signal is given.
 */
export async function connectDatabase(
  config: Config,
  logger: Logger,
  mode: 'own' | 'borrow' | 'refill',
  signal?: AbortSignal,
): Promise<Connected> {
  const lifecycle = createLifecycle(logger)
  const { url, directUrl, schema, prepare, pooled, statementMsMax } = config.database
  if (url !== undefined && directUrl !== undefined) {
    const direct = { url: directUrl.reveal(), schema, prepare: true, pooled: false, statementMsMax }
    const location = `the database at ${new URL(url.reveal()).host}`
    return { direct, pooled: { url: url.reveal(), schema, prepare, pooled, statementMsMax }, location, lifecycle }
  }
  const embedded = await openEmbedded({
    dataDir: config.dataDir,
    mode,
    witness: receiptsKeyFile(config.dataDir),
    ...(signal === undefined ? {} : { signal }),
    log: (message, fields) => logger.info(fields ?? {}, message),
    onLost: (error) => {
      logger.fatal({ reason: error.message }, 'the embedded PostgreSQL is lost; stopping')
      // Whoever watches over the service shall start it anew.
      process.exitCode = 1
      process.kill(process.pid, 'SIGTERM')
    },
  }).catch((error: unknown) => {
    throw signal?.aborted ? new Aborted({ cause: error }) : error
  })
  lifecycle.onClose('embedded PostgreSQL', embedded.close)
  const own = { url: embedded.url, schema, prepare: true, pooled: false, statementMsMax }
  return { direct: own, pooled: own, location: describePlace(embedded.dataDir, config.dataDir), lifecycle }
}

function describePlace(place: string, dataDir: string): string {
  const away = basename(place) !== basename(dataDir)
  return `embedded PostgreSQL in ${place}${away ? `, for ${dataDir}` : ''}`
}

/** Brings the schema to the newest version. Throws `Aborted` if the signal is given. */
export async function migrateDatabase(
  connected: Connected,
  signal?: AbortSignal,
  onWaiting?: (holder: string) => void,
): Promise<MigrationResult> {
  const migrations = await readMigrations()
  const options = onWaiting === undefined ? {} : { onWaiting }
  return onOwnConnection(connected, signal, (sql) => migrate(sql, connected.direct.schema, migrations, options))
}

/** Lays the tables out over a Citus cluster; answers those that were moved. Throws `Aborted` if the signal is given. */
export function distributeDatabase(connected: Connected, signal?: AbortSignal): Promise<string[]> {
  return onOwnConnection(connected, signal, distributeTables)
}

/**
 * Work that may take long, on a connection of its own. What is given up the server rolls back, as its client is gone.
 */
async function onOwnConnection<T>(
  connected: Connected,
  signal: AbortSignal | undefined,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const applicationName = 'llmring-server migrations'
  const sql = createClient({ ...connected.direct, connectionsMax: 1, applicationName, statementMsMax: 0 })
  try {
    if (signal?.aborted) throw new Aborted()
    return await abortable(work(sql), signal)
  } catch (error) {
    throw explainConnection(error, connected.direct.url)
  } finally {
    await sql.end({ timeout: signal?.aborted ? 0 : 5 })
  }
}

/** Connects, migrates and opens the pool. A service gives a database that is still starting half a minute. */
export async function openResources(
  config: Config,
  logger: Logger,
  mode: 'own' | 'borrow',
  signal?: AbortSignal,
): Promise<Resources> {
  const connected = await connectDatabase(config, logger, mode, signal)
  try {
    const { firstAnswerMsMax, firstAnswerPauseMs } = SERVICE_LIMITS
    const msMax = mode === 'own' ? firstAnswerMsMax : 0
    const migration = await untilItAnswers({ logger, msMax, pauseMs: firstAnswerPauseMs, signal }, () =>
      migrateDatabase(connected, signal, (holder) =>
        logger.warn({ holder }, 'another session migrates; waiting for it'),
      ),
    )
    const { connectionsMax } = config.database
    const database = await openDatabase({ ...connected.pooled, connectionsMax }, signal)
    connected.lifecycle.onClose('database pool', database.close)
    return { ...connected, database, transact: createTransact(database.sql), migration }
  } catch (error) {
    await connected.lifecycle.close()
    throw error
  }
}
