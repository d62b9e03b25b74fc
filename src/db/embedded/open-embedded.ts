import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { every } from '../../platform/every.js'
import { isRoot } from './account.js'
import { acquire } from './acquire.js'
import { findPackagedBinaries, prepareBinaries } from './binaries.js'
import type { Cluster, StartOptions } from './cluster.js'
import { ensureCluster, ROLE, readPassword } from './cluster.js'
import type { PackagedBinaries } from './copy-binaries.js'
import { asEmbeddedError, type EmbeddedError, givenUp, inUse } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { DATABASE, type Ownership } from './ownership.js'
import { choosePlace } from './place.js'
import { confirmPointer } from './pointer.js'
import { stopPostmaster } from './postmaster.js'
import { boundLog } from './server-log.js'
import { supervise } from './supervise.js'

export type EmbeddedDatabase = {
  /** `postgres://llmring:<password>@127.0.0.1:<port>/llmring`. It holds the password: not for logs. */
  readonly url: string
  /** The folder that the data really lives in (below `postgres/`): the data directory, or its stand-in for root. */
  readonly dataDir: string
  /** A Postgres that an ended process had left running was taken over. */
  readonly adopted: boolean
  /** False: it is another process's, which may stop it at any time. */
  readonly owner: boolean
  /** The owner stops Postgres and returns when it is gone; others have nothing to stop. May be called twice. */
  close(): Promise<void>
}

export type EmbeddedOptions = {
  /** The data directory; made where it is missing. */
  readonly dataDir: string
  /**
   * `own` (the service): alone, or `in-use`. `borrow` (commands): another process's, or as its owner until `close`.
   * `refill`: alone, and a database that the data directory has lost is made anew, empty.
   */
  readonly mode: 'own' | 'borrow' | 'refill'
  /** A file that only a used data directory holds: beside it no new database is made, but `data-missing` thrown. */
  readonly witness?: string
  readonly log: (message: string, fields?: Record<string, unknown>) => void
  /** Given while it opens: the start is given up, what it has started so far is stopped, and this rejects. */
  readonly signal?: AbortSignal
  /** Postgres, or at least our hold on it, was gone and is back on the same port: every session was lost. */
  readonly onRestarted?: () => void
  /** Postgres could not be brought back, or another service owns it now. Nothing more is tried. */
  readonly onLost?: (error: EmbeddedError) => void
  /** Where root's stand-ins for unreachable folders go. */
  readonly stateDir?: string
  /** The binaries to run; default: those that npm installed. */
  readonly binaries?: PackagedBinaries
}

const STATE_DIR = '/var/lib/llmring'

/**
 * Runs a real PostgreSQL for one data directory, from the binaries that npm installed. It listens on 127.0.0.1, runs in
 * a session of its own and outlives a killed service; the next one adopts it. Throws `EmbeddedError`.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  try {
    return await open(options)
  } catch (error) {
    throw asEmbeddedError(error)
  }
}

async function open(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const cluster = await prepareCluster(options)
  const held = await acquire(cluster, {
    port: undefined,
    lockWaitMsMax: options.mode === 'borrow' ? 0 : EMBEDDED_LIMITS.lockWaitMsMax,
    spawnAttemptsMax: EMBEDDED_LIMITS.spawnAttemptsMax,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  const about = {
    url: `postgres://${ROLE}:${encodeURIComponent(cluster.password)}@127.0.0.1:${held.port}/${DATABASE}`,
    dataDir: cluster.place.home,
  }
  if (held.ownership === undefined) {
    if (options.mode !== 'borrow') throw inUse(cluster.place.home)
    return { ...about, adopted: false, owner: false, close: async () => undefined }
  }
  const adopted = !held.spawned
  options.log(adopted ? 'PostgreSQL was still running and is adopted' : 'PostgreSQL started', {
    version: cluster.binaries.version,
    port: held.port,
    user: cluster.place.account.name,
    data: cluster.place.dir,
    log: cluster.place.logFile,
  })
  const close = keep(cluster, options, held.port, held.ownership)
  if (options.signal?.aborted) {
    await close()
    throw givenUp()
  }
  return { ...about, adopted, owner: true, close }
}

async function prepareCluster(options: EmbeddedOptions): Promise<Cluster> {
  const stateDir = options.stateDir ?? STATE_DIR
  const packaged = options.binaries ?? (await findPackagedBinaries())
  const { witness } = options
  const place = await choosePlace(options.dataDir, {
    stateDir,
    refill: options.mode === 'refill',
    ...(witness === undefined ? {} : { witness }),
  })
  const copiesDir = isRoot() ? stateDir : join(place.home, 'binaries')
  const binaries = await prepareBinaries(packaged, place.account, copiesDir, options.log)
  if (options.signal?.aborted) throw givenUp()
  await ensureCluster(place, binaries, options.signal)
  // Crash before this: the next start finds the cluster by the same id, whether the pointer calls it new or made.
  await confirmPointer(place.dataDir, place.id)
  return { place, binaries, password: await readPassword(place) }
}

/** Looks after an owned Postgres until the function that it returns is called. */
function keep(cluster: Cluster, options: EmbeddedOptions, port: number, first: Ownership): () => Promise<void> {
  const supervision = supervise(first, {
    pause: (ms, signal) => pause(ms, undefined, { signal }),
    log: options.log,
    onRestarted: () => options.onRestarted?.(),
    onLost: (error) => options.onLost?.(error),
    reacquire: async (signal) => {
      const startOptions: StartOptions = {
        port,
        // A command may own it for a moment while it is down; it will end, and we have the older right.
        lockWaitMsMax: EMBEDDED_LIMITS.startMsMax,
        spawnAttemptsMax: EMBEDDED_LIMITS.respawnAttemptsMax,
        signal,
      }
      const held = await acquire(cluster, startOptions)
      if (held.ownership === undefined) throw inUse(cluster.place.home)
      return held.ownership
    },
  })
  const logCheck = every({
    name: 'bound the log of PostgreSQL',
    run: () => boundLog(cluster.place.logFile),
    pauseMs: EMBEDDED_LIMITS.logCheckMs,
    logger: {
      warn: (fields, message) => options.log(message, { ...fields }),
      info: (fields, message) => options.log(message, { ...fields }),
    },
  })
  logCheck.startLater()
  let closed: Promise<void> | undefined
  const close = async () => {
    await logCheck.stop()
    // The lock is held until Postgres is gone: given up earlier, another service could adopt what is about to end.
    const ownership = await supervision.stop()
    if (ownership === undefined) return
    await stopPostmaster(cluster.place.clusterDir)
    await ownership.release()
  }
  return () => {
    closed ??= close()
    return closed
  }
}
