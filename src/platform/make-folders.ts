import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing, and returns whether it was missing itself. Throws what the file
 * system throws. Node's own recursive `mkdir` asks for ever if the system says ENOENT below a folder that exists
 * (/proc).
 */
export async function makeFolders(path: string, mode?: number): Promise<boolean> {
  try {
    return await makeFolder(path, mode)
  } catch (error) {
    const above = dirname(path)
    if (!isMissing(error) || above === path) throw error
    await makeFolders(above, mode)
    return makeFolder(path, mode)
  }
}

async function makeFolder(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    // A read-only file system says EROFS, not EEXIST, of a folder that is there.
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (isFolder) return false
    throw error
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
