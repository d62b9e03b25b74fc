import { chmod, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolders } from '../../platform/make-folders.js'
import { type Account, accountOfCluster, chooseAccount } from './account.js'
import { awayOf, holdsCluster, idFromPath, isCopy, listAways, recordedHome, recordHome } from './away.js'
import { codeOf, EmbeddedError, messageOf } from './embedded-error.js'
import { exists } from './leftovers.js'
import { copied, lost, unpointed } from './missing.js'
import { makePassable } from './passable.js'
import { dropPointer, ensurePointer, type Pointer, pointerFileOf, readPointer } from './pointer.js'
import { canEnter } from './run-as.js'

/** Where one data directory's Postgres lives, and as whom it runs. All paths are absolute. */
export type Place = {
  /** The data directory. */
  readonly dataDir: string
  /** The database's, as `database-id` in the data directory has it. */
  readonly id: string
  /** The data directory itself, or its stand-in below the state directory. */
  readonly home: string
  /** Made in one rename, so whoever sees it sees all of it. */
  readonly dir: string
  readonly clusterDir: string
  readonly passwordFile: string
  readonly logFile: string
  readonly account: Account
}

export type PlaceOptions = {
  readonly stateDir: string
  /** A file that only a used data directory holds: beside it no new database is made. */
  readonly witness?: string
  /** A database that is lost is made anew all the same: it is about to be filled from a backup. */
  readonly refill?: boolean
}

/**
 * Decides where the data of `dataDir` lives: there, or, where the account that Postgres needs cannot reach it, in
 * `<stateDir>/<id>`; `database-id` in the data directory holds the id, so a directory that is moved takes its data
 * along. Throws `data-missing` if there was a database and is none now, and `start-failed`.
 */
export async function choosePlace(dataDir: string, options: PlaceOptions): Promise<Place> {
  const chosen = await chooseAccount()
  const home = await makeHome(resolve(dataDir), chosen)
  if (await holdsReachableCluster(home)) return existing(home, await ensurePointer(home), chosen)
  const pointer = await findPointer(home, options)
  if (pointer !== undefined) {
    const away = awayOf(options.stateDir, pointer.id)
    if (await holdsReachableCluster(away)) return existingAway(home, pointer, away, chosen)
  }
  return newPlace(home, pointer ?? (await ensurePointer(home)), options, chosen)
}

/** The pointer of a data directory without a cluster in it, as far as it may be followed. Throws `data-missing`. */
async function findPointer(home: string, options: PlaceOptions): Promise<Pointer | undefined> {
  const pointer = (await readPointer(home)) ?? (await adoptUnpointed(home, options))
  const problem = await findProblem(home, pointer, options)
  if (problem === undefined) return pointer
  if (options.refill !== true) throw problem
  await dropPointer(home)
  return undefined
}

async function findProblem(
  home: string,
  pointer: Pointer | undefined,
  { stateDir, witness }: PlaceOptions,
): Promise<EmbeddedError | undefined> {
  if (pointer !== undefined && (await holdsReachableCluster(awayOf(stateDir, pointer.id)))) {
    const original = await recordedHome(awayOf(stateDir, pointer.id))
    const isOriginal = original === undefined || !(await isCopy(home, original, pointer.id))
    return isOriginal ? undefined : copied(home, original, awayOf(stateDir, pointer.id))
  }
  if (pointer === undefined) {
    const own = (await listAways(stateDir)).find((away) => away.home === home)
    if (own !== undefined) return unpointed(home, own)
  }
  const shown = pointer?.made === true ? pointerFileOf(home) : witness
  if (shown === undefined || !(await exists(shown))) return undefined
  const others = await listAways(stateDir)
  const orphans = await Promise.all(
    others.map(async (away) => (away.home !== undefined && (await exists(away.home).catch(() => true)) ? [] : [away])),
  )
  return lost(home, shown, orphans.flat())
}

/** A database that was made before there were pointers gets one. */
async function adoptUnpointed(home: string, { stateDir }: PlaceOptions): Promise<Pointer | undefined> {
  const id = idFromPath(home)
  return (await holdsReachableCluster(awayOf(stateDir, id))) ? ensurePointer(home, id) : undefined
}

async function newPlace(home: string, { id }: Pointer, options: PlaceOptions, chosen: Account): Promise<Place> {
  if (await canEnter(chosen, home)) return placeIn(home, home, id, chosen)
  const away = awayOf(options.stateDir, id)
  await makeAway(options.stateDir, away, home, chosen)
  return placeIn(home, away, id, chosen)
}

function placeIn(dataDir: string, home: string, id: string, account: Account): Place {
  const dir = join(home, 'postgres')
  return {
    dataDir,
    id,
    home,
    dir,
    clusterDir: join(dir, 'cluster'),
    passwordFile: join(dir, 'password'),
    logFile: join(dir, 'postgres.log'),
    account,
  }
}

/** Throws `start-failed` if it may not be looked for. */
async function holdsReachableCluster(home: string): Promise<boolean> {
  try {
    return await holdsCluster(home)
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error
    throw new EmbeddedError(
      'start-failed',
      `The database in ${home} belongs to another user. Run llmring-server as that user or as root, or use another data directory.`,
      { cause: error },
    )
  }
}

async function existing(home: string, { id }: Pointer, chosen: Account, dataDir = home): Promise<Place> {
  const account = await accountOfCluster(join(home, 'postgres', 'cluster'), chosen)
  const place = placeIn(dataDir, home, id, account)
  if (await canEnter(place.account, place.dir)) return place
  throw new EmbeddedError(
    'start-failed',
    `The database in ${place.dir} exists, but ${place.account.name}, who owns it, can no longer enter that folder. Let other users pass through the folders above it (chmod o+x).`,
  )
}

async function existingAway(home: string, pointer: Pointer, away: string, chosen: Account): Promise<Place> {
  if (chosen.ids !== undefined) {
    // The data directory may have been moved since the last start.
    if ((await recordedHome(away)) !== home) await recordHome(away, home)
    return existing(away, pointer, chosen, home)
  }
  throw new EmbeddedError(
    'start-failed',
    `The database of ${home} was made by root and lives in ${away}. Run llmring-server as root, or use another data directory.`,
  )
}

async function makeHome(dataDir: string, account: Account): Promise<string> {
  try {
    const made = await makeFolders(dataDir)
    // Only a folder of our own making is opened to passers-by: root's Postgres has to pass as another user.
    if (made) await chmod(dataDir, account.ids === undefined ? 0o700 : 0o711)
    return await realpath(dataDir)
  } catch (error) {
    throw new EmbeddedError(
      'start-failed',
      `The data directory ${dataDir} cannot be made (${messageOf(error)}). Set LLMRING_DATA_DIR to a folder that can be written, or LLMRING_DATABASE_URL.`,
      { cause: error },
    )
  }
}

async function makeAway(stateDir: string, away: string, home: string, account: Account): Promise<void> {
  await makePassable(stateDir)
  await makePassable(away)
  // Crash here: an empty folder that the next start uses.
  await recordHome(away, home)
  if (await canEnter(account, away)) return
  throw new EmbeddedError(
    'start-failed',
    `Postgres may not run as root, and ${account.name} can enter neither ${home} nor ${away}. Run llmring-server as another user, or set LLMRING_DATABASE_URL.`,
  )
}
