import { randomBytes } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './embedded-error.js'
import { embeddedLimits } from './limits.js'

const MAKING = /\.making-[0-9a-f]{16}$/

/** Flushes a file or folder to disk. A rename is only certain once the folder that holds the name was flushed. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a new file with these permissions and flushes it. Throws `EEXIST` where there is one already. */
export async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether something has this name. Throws what is neither yes nor no (`EACCES`). */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

/** A name beside `path` under which it can be made: nobody else uses it, and a crash leaves it to `removeLeftovers`. */
export function makingName(path: string): string {
  return `${path}.making-${randomBytes(8).toString('hex')}`
}

/**
 * Removes what crashes left half-made in `dir`. Age decides, not a process id, which means nothing to a container
 * next door; `nowMs` is in epoch milliseconds.
 */
export async function removeLeftovers(dir: string, nowMs: number): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!MAKING.test(name)) continue
    const leftover = join(dir, name)
    // Gone between the two looks: its maker has finished.
    const madeMs = await stat(leftover).then(
      ({ mtimeMs }) => mtimeMs,
      () => nowMs,
    )
    if (nowMs - madeMs > embeddedLimits.leftoverMsMin) await rm(leftover, { recursive: true, force: true })
  }
}
