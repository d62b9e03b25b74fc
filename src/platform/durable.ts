import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Flushes a file or folder to disk. A rename is only certain once the folder that holds the name was flushed. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a new file with these permissions and flushes it. Throws `EEXIST` if there is one already. */
export async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Replaces a file, or makes it: whatever happens, there is the old text or the new one, and afterwards only the new. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const making = makingName(path)
  try {
    // Crash from here to the rename: a file under a name that says what it is, and the old one untouched.
    await writeNew(making, text, mode)
    await rename(making, path)
    // Crash here: a power cut may bring the old text back; after the next line it cannot.
    await flush(dirname(path))
  } finally {
    await rm(making, { force: true })
  }
}

/** A name beside `path` under which it can be made: no other process uses it, and what a crash leaves is told by it. */
export function makingName(path: string): string {
  return `${path}.making-${randomBytes(8).toString('hex')}`
}

/** Whether a file or folder has a name of `makingName`. */
export function isMakingName(path: string): boolean {
  return /\.making-[0-9a-f]{16}$/.test(path)
}
