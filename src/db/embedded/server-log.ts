import { copyFile, open, stat, truncate } from 'node:fs/promises'
import { EMBEDDED_LIMITS } from './limits.js'

/**
 * Keeps Postgres's log and its predecessor (`<file>.1`) below the limit each. Postgres appends, so the file can be
 * emptied under it. A line written between the copy and the emptying is lost.
 */
export async function boundLog(file: string, bytesMax: number = EMBEDDED_LIMITS.logBytesMax): Promise<void> {
  if ((await sizeOfLog(file)) <= bytesMax) return
  await copyFile(file, `${file}.1`)
  // Crash here: the log is there twice, and is copied again.
  await truncate(file)
}

/** Bytes in the log; 0 where there is none yet. */
export async function sizeOfLog(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

/** The end of what was logged since the file had `fromByte` bytes, for an error message. */
export async function readLogSince(file: string, fromByte: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return ''
  try {
    const { size } = await handle.stat()
    // A file that has shrunk was emptied meanwhile: all of it is new.
    const start = Math.max(fromByte <= size ? fromByte : 0, size - EMBEDDED_LIMITS.logTailBytesMax)
    const buffer = Buffer.alloc(Math.max(0, size - start))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    return buffer.toString('utf8', 0, bytesRead).trim()
  } finally {
    await handle.close()
  }
}
