import { lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { flush, makingName } from '../platform/durable.js'

const MODE = 0o600

/**
 * Writes a file that appears whole or not at all, and that only its owner can read. `write` ends the stream that it is
 * given. Throws if something has that name already; with `force` a file is replaced, and anything else refused.
 */
export async function writeWholeFile<T>(
  path: string,
  force: boolean,
  write: (output: Writable) => Promise<T>,
): Promise<T> {
  const target = resolve(path)
  await refuseTaken(target, force)
  const making = makingName(target)
  try {
    // Crash from here to the rename: a file under a name that says what it is, and the old one untouched.
    const output = (await open(making, 'wx', MODE)).createWriteStream({ flush: true })
    const result = await write(output).finally(() => output.destroy())
    await refuseTaken(target, force)
    await rename(making, target)
    // Crash here: a power cut may bring the old name back; after the next line it cannot.
    await flush(dirname(target))
    return result
  } finally {
    await rm(making, { force: true })
  }
}

async function refuseTaken(path: string, force: boolean): Promise<void> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (there === undefined || (force && there.isFile())) return
  throw new Error(there.isFile() ? `${path} exists; --force replaces it.` : `${path} exists and is not a file.`)
}
