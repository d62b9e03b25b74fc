import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { flush, makingName, writeNew } from '../../platform/durable.js'
import { giveTo } from './account.js'
import type { Binaries } from './binaries.js'
import { codeOf, EmbeddedError, messageOf } from './embedded-error.js'
import { exists, removeLeftovers } from './leftovers.js'
import { EMBEDDED_LIMITS } from './limits.js'
import type { Place } from './place.js'
import { runAs } from './run-as.js'

/** A cluster that can be started: where it is, what runs it, how to get in. */
export type Cluster = { readonly place: Place; readonly binaries: Binaries; readonly password: string }

/** How a cluster is to be started. */
export type StartOptions = {
  /** The port that it must be on; undefined: any. */
  readonly port: number | undefined
  readonly lockWaitMsMax: number
  readonly spawnAttemptsMax: number
  readonly signal?: AbortSignal
}

/** The role that everything connects as: the cluster's first and only one. */
export const ROLE = 'llmring'

/**
 * Makes the cluster where there is none. It appears, with its password, in one rename: whatever a crash interrupts,
 * either all of it is there or none. Two processes may do this at once; one's work is used, the other's is thrown away.
 * Throws `wrong-major` if binaries of another major version made it, and `start-failed`, also when the signal is given.
 */
export async function ensureCluster(place: Place, binaries: Binaries, signal?: AbortSignal): Promise<void> {
  await removeLeftovers(place.home, Date.now())
  if (!(await exists(place.clusterDir))) await makeCluster(place, binaries, signal)
  await checkMajor(place, binaries)
}

/** The role's password. Throws `start-failed` where it is gone or not ours to read. */
export async function readPassword(place: Place): Promise<string> {
  try {
    const password = (await readFile(place.passwordFile, 'utf8')).trim()
    if (password !== '') return password
    throw new Error('it is empty')
  } catch (error) {
    throw new EmbeddedError(
      'start-failed',
      `The database's password cannot be read from ${place.passwordFile} (${messageOf(error)}). Bring the file back from a backup, or run llmring-server as the user who can read it.`,
      { cause: error },
    )
  }
}

async function makeCluster(place: Place, binaries: Binaries, signal: AbortSignal | undefined): Promise<void> {
  const making = makingName(place.dir)
  try {
    // Crash from here to the rename: a half-made cluster under a name of its own, which a later start removes.
    await fill(making, place, binaries, signal)
    // Crash after this: a whole cluster that was not started yet.
    await rename(making, place.dir)
    // Unflushed, a power cut could bring the old name back later, and with it the data under a name that is removed.
    await flush(place.home)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    const anotherWasFirst = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST'
    if (anotherWasFirst && (await exists(place.clusterDir))) return
    if (error instanceof EmbeddedError) throw error
    throw new EmbeddedError(
      'start-failed',
      `No database could be made in ${place.dir}: ${messageOf(error)}. Check the space and the permissions there.`,
      { cause: error },
    )
  }
}

async function fill(making: string, place: Place, binaries: Binaries, signal: AbortSignal | undefined): Promise<void> {
  const { account } = place
  // Root keeps this folder, so that Postgres's user cannot plant links for root to follow; it only passes through.
  await mkdir(making, { mode: account.ids === undefined ? 0o700 : 0o711 })
  const passwordFile = join(making, 'password')
  await writeNew(passwordFile, `${randomBytes(24).toString('base64url')}\n`, 0o600)
  await giveTo(account, passwordFile)
  const clusterDir = join(making, 'cluster')
  await mkdir(clusterDir, { mode: 0o700 })
  await giveTo(account, clusterDir)
  const settings = ['--locale=C', '--encoding=UTF8', '--auth=scram-sha-256', `--username=${ROLE}`, '--no-instructions']
  const args = ['-D', clusterDir, `--pwfile=${passwordFile}`, ...settings]
  // initdb flushes everything that it made before it ends.
  const result = await runAs(account, binaries.initdb, args, EMBEDDED_LIMITS.initdbMsMax, signal)
  if (!result.ok)
    throw new Error(result.output.slice(-EMBEDDED_LIMITS.logTailBytesMax) || result.spawnError || 'killed')
  await flush(making)
}

async function checkMajor(place: Place, binaries: Binaries): Promise<void> {
  const major = (await readFile(join(place.clusterDir, 'PG_VERSION'), 'utf8')).trim()
  if (major === binaries.major) return
  throw new EmbeddedError(
    'wrong-major',
    `The data in ${place.dir} was made by PostgreSQL ${major}, and this version of llmring-server brings PostgreSQL ${binaries.major}, which cannot read it. Run \`llmring-server dump\` with the version of llmring-server that made it, and \`llmring-server restore\` with this one into an empty data directory.`,
  )
}
