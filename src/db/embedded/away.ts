import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from './leftovers.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { readPointer } from './pointer.js'

/** A database of root's that lies in the state directory, because its user cannot enter the data directory. */
export type Away = {
  readonly id: string
  readonly dir: string
  /** The data directory that it belongs to, as it was called at the last start; undefined where that is not known. */
  readonly home: string | undefined
}

export function awayOf(stateDir: string, id: string): string {
  return join(stateDir, id)
}

/** Under which id a database lay before data directories had pointers: a hash of the path. */
export function idFromPath(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 32)
}

export function holdsCluster(dir: string): Promise<boolean> {
  return exists(join(dir, 'postgres', 'cluster'))
}

/** Writes down which data directory this belongs to: for people, and to tell a moved directory from a copied one. */
export async function recordHome(away: string, home: string): Promise<void> {
  await writeFile(join(away, 'data-directory'), `${home}\n`)
}

export async function recordedHome(away: string): Promise<string | undefined> {
  const text = await readFile(join(away, 'data-directory'), 'utf8').catch(() => '')
  return text.trimEnd() === '' ? undefined : text.trimEnd()
}

/** Databases in the state directory. None if it does not exist or is not ours to read. */
export async function listAways(stateDir: string): Promise<Away[]> {
  const names = await readdir(stateDir).catch(() => [])
  const found: Away[] = []
  for (const id of names.filter((name) => /^[0-9a-f]{32}$/.test(name)).slice(0, EMBEDDED_LIMITS.listedMax)) {
    const dir = awayOf(stateDir, id)
    if (await holdsCluster(dir).catch(() => false)) found.push({ id, dir, home: await recordedHome(dir) })
  }
  return found
}

/**
 * Whether `recorded` is still a data directory of its own that points to the same database: then `home` is its copy.
 */
export async function isCopy(home: string, recorded: string, id: string): Promise<boolean> {
  if ((await identityOf(recorded)) === (await identityOf(home))) return false
  const pointer = await readPointer(recorded).catch(() => undefined)
  return pointer?.id === id
}

async function identityOf(path: string): Promise<string | undefined> {
  return stat(await realpath(path).catch(() => path)).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => undefined,
  )
}
