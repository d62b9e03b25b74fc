import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makingName, writeNew } from '../../../platform/durable.js'
import { makeFolders } from '../../../platform/make-folders.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'

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

/** A note that lies beside the guard file, flushed to disk: only its name is missing. One of the two has to be called. */
export type PreparedNote = {
  /** Replaces the note in the guard file. Resolves once a power cut cannot bring the old one back. */
  place(): Promise<void>
  discard(): Promise<void>
}

/** Writes a note down beside a guard file. Makes the folder if it is missing. */
export async function prepareGuardFile(path: string, note: string): Promise<PreparedNote> {
  return prepare(path, note).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    await makeFolders(dirname(path), 0o700)
    return prepare(path, note)
  })
}

async function prepare(path: string, note: string): Promise<PreparedNote> {
  const making = makingName(path)
  // At the same time: each step of these waits for a turn of the event loop, and a busy one is slow to come.
  const [folder, written] = await Promise.allSettled([open(dirname(path), 'r'), writeNew(making, note, 0o600)])
  // Crash here: a file that is never read is left behind, and the old note is remembered. The head that it would have
  // replaced is committed and not published, so it is signed again.
  const discard = async (): Promise<void> => {
    if (folder.status === 'fulfilled') await folder.value.close()
    await rm(making, { force: true })
  }
  if (folder.status === 'rejected') {
    await discard()
    throw folder.reason
  }
  if (written.status === 'rejected') {
    // What made it impossible to write may make it impossible to remove.
    await discard().catch(() => undefined)
    throw written.reason
  }
  return { discard, place: () => place(making, path, folder.value) }
}

async function place(making: string, path: string, folder: FileHandle): Promise<void> {
  try {
    // Crash here: the same as before.
    await rename(making, path)
    // Crash here: the new note is remembered, or after a power cut the old one. Neither is ahead of the database.
    await folder.sync()
  } catch (error) {
    await rm(making, { force: true })
    throw error
  } finally {
    // What is on disk does not wait for it.
    folder.close().catch(() => undefined)
  }
}

/** Replaces the note in a guard file. Resolves once a power cut cannot bring the old one back. */
export async function writeGuardFile(path: string, note: string): Promise<void> {
  const prepared = await prepareGuardFile(path, note)
  await prepared.place()
}
