import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { flush, makingName } from '../../platform/durable.js'
import { codeOf } from './embedded-error.js'
import { exists, removeLeftovers } from './leftovers.js'
import { linkLibraries } from './link-libraries.js'
import { makePassable } from './passable.js'

/** Folders as a package ships them: `bin`, `lib` and `share` below `dir`; `name` is unique to their content. */
export type PackagedBinaries = { readonly dir: string; readonly name: string }

/**
 * Copies binaries to `<copiesDir>/<name>`, readable for all users, unless that exists: it only ever appears whole.
 * Returns where they are and whether this call made them. Throws what the file system throws.
 */
export async function copyBinaries(
  packaged: PackagedBinaries,
  copiesDir: string,
): Promise<{ dir: string; made: boolean }> {
  const dir = join(copiesDir, packaged.name)
  await makePassable(copiesDir)
  await removeLeftovers(copiesDir, Date.now())
  if (await exists(dir)) return { dir, made: false }
  const making = makingName(dir)
  try {
    // Crash from here to the rename: a half-made folder under a name of its own, which a later start removes.
    await copyFolder(packaged.dir, making)
    await linkLibraries(making)
    await rename(making, dir)
    // Power lost before this: the copy may be gone, and is made again.
    await flush(copiesDir)
    return { dir, made: true }
  } catch (error) {
    // Writers that had not finished may be in the way of this; then its age removes it.
    await rm(making, { recursive: true, force: true }).catch(() => undefined)
    // Another process's copy of the same version was there first.
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return { dir, made: false }
    throw error
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to)
  const entries = await readdir(from, { withFileTypes: true })
  // All of a folder's files at once, because flushes that wait together share the disk's time (libuv runs four).
  await Promise.all(
    entries.map(async (entry) => {
      const source = join(from, entry.name)
      const target = join(to, entry.name)
      if (entry.isDirectory()) await copyFolder(source, target)
      else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
      else await copyOne(source, target)
    }),
  )
  // Last, because a umask or a mode of the source may keep the account out.
  await chmod(to, 0o755)
  await flush(to)
}

async function copyOne(source: string, target: string): Promise<void> {
  const { mode } = await stat(source)
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, mode & 0o111 ? 0o755 : 0o644)
  // Unflushed, a power cut after the rename could leave empty files under the final name for good.
  await flush(target)
}
