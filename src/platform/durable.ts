import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'

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

/** A name beside `path` under which it can be made: no other process uses it, and what a crash leaves is told by it. */
export function makingName(path: string): string {
  return `${path}.making-${randomBytes(8).toString('hex')}`
}

/** Whether a file or folder has a name of `makingName`. */
export function isMakingName(path: string): boolean {
  return /\.making-[0-9a-f]{16}$/.test(path)
}
