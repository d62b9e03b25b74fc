import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { flush, makingName, writeNew } from '../../platform/durable.js'
import { makeFolders } from '../../platform/make-folders.js'
import { TRANSPARENCY_LIMITS } from './limits.js'

/** The note in a guard file; undefined if there is no file. Throws if it cannot be read or is too long. */
export async function readGuardFile(path: string): Promise<Uint8Array | undefined> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size > TRANSPARENCY_LIMITS.guardBytesMax) throw new Error('a guard file is longer than any checkpoint')
    return new Uint8Array(await readFile(handle))
  } finally {
    await handle.close()
  }
}

/** Replaces the note in a guard file. Resolves once a power cut cannot bring the old one back. */
export async function writeGuardFile(path: string, note: string): Promise<void> {
  await makeFolders(dirname(path), 0o700)
  const making = makingName(path)
  try {
    // Crash here: a file that is never read is left behind, and the old note is remembered. The head that it would have
    // replaced is committed and not published, so it is signed again.
    await writeNew(making, note, 0o600)
    // Crash here: the same.
    await rename(making, path)
    // Crash here: the new note is remembered, or after a power cut the old one. Neither is ahead of the database.
    await flush(dirname(path))
  } catch (error) {
    await rm(making, { force: true })
    throw error
  }
}
