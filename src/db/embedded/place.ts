import { createHash } from 'node:crypto'
import { chmod, realpath, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolders } from '../../platform/make-folders.js'
import { type Account, accountOfCluster, chooseAccount } from './account.js'
import { exists } from './durable.js'
import { codeOf, EmbeddedError, messageOf } from './embedded-error.js'
import { makePassable } from './passable.js'
import { canEnter } from './run-as.js'

/** Where one data directory's Postgres lives, and as whom it runs. All paths are absolute. */
export type Place = {
  /** The data directory itself, or its stand-in below the state directory. */
  readonly home: string
  /** Made in one rename, so whoever sees it sees all of it. */
  readonly dir: string
  readonly clusterDir: string
  readonly passwordFile: string
  readonly logFile: string
  readonly account: Account
}

/**
 * Decides where the data of `dataDir` lives: there, or, where the account that Postgres needs cannot reach it, in
 * `<stateDir>/<hash of the path>`. Data that exists is never left behind: once it lies in one of the two, it is
 * looked for there. Throws `start-failed`.
 */
export async function choosePlace(dataDir: string, stateDir: string): Promise<Place> {
  const chosen = await chooseAccount()
  const home = await makeHome(resolve(dataDir), chosen)
  const away = join(stateDir, createHash('sha256').update(home).digest('hex').slice(0, 32))
  if (await holdsCluster(home)) return existing(home, chosen)
  if (await holdsCluster(away)) return existingAway(home, away, chosen)
  if (await canEnter(chosen, home)) return placeIn(home, chosen)
  await makeAway(stateDir, away, home, chosen)
  return placeIn(away, chosen)
}

function placeIn(home: string, account: Account): Place {
  const dir = join(home, 'postgres')
  return {
    home,
    dir,
    clusterDir: join(dir, 'cluster'),
    passwordFile: join(dir, 'password'),
    logFile: join(dir, 'postgres.log'),
    account,
  }
}

async function holdsCluster(home: string): Promise<boolean> {
  try {
    return await exists(join(home, 'postgres', 'cluster'))
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error
    throw new EmbeddedError(
      'start-failed',
      `The database in ${home} belongs to another user. Run llmring-server as that user or as root, or use another data directory.`,
      { cause: error },
    )
  }
}

async function existing(home: string, chosen: Account): Promise<Place> {
  const place = placeIn(home, await accountOfCluster(join(home, 'postgres', 'cluster'), chosen))
  if (await canEnter(place.account, place.dir)) return place
  throw new EmbeddedError(
    'start-failed',
    `The database in ${place.dir} exists, but ${place.account.name}, who owns it, can no longer enter that folder. Let everybody pass through the folders above it (chmod o+x).`,
  )
}

async function existingAway(home: string, away: string, chosen: Account): Promise<Place> {
  if (chosen.ids !== undefined) return existing(away, chosen)
  throw new EmbeddedError(
    'start-failed',
    `The database of ${home} was made by root and lives in ${away}. Run llmring-server as root, or use another data directory.`,
  )
}

async function makeHome(dataDir: string, account: Account): Promise<string> {
  try {
    const made = await makeFolders(dataDir)
    // Only a folder of our own making is opened to passers-by: root's Postgres has to pass as somebody else.
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
  // A name made of a hash says nothing to the person who finds it. Crash here: an empty folder that the next start uses.
  await writeFile(join(away, 'data-directory'), `${home}\n`)
  if (await canEnter(account, away)) return
  throw new EmbeddedError(
    'start-failed',
    `Postgres may not run as root, and ${account.name} can enter neither ${home} nor ${away}. Run llmring-server as another user, or set LLMRING_DATABASE_URL.`,
  )
}
