import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMakingName } from '../../platform/durable.js'
import { codeOf } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'

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

/**
 * Removes what crashes left half-made in `dir`. Age decides, not a process id, which means nothing to a container
 * next door; `nowMs` is in epoch milliseconds.
 */
export async function removeLeftovers(dir: string, nowMs: number): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!isMakingName(name)) continue
    const leftover = join(dir, name)
    // Gone between the two looks: its maker has finished.
    const madeMs = await stat(leftover).then(
      ({ mtimeMs }) => mtimeMs,
      () => nowMs,
    )
    if (nowMs - madeMs > EMBEDDED_LIMITS.leftoverMsMin) await rm(leftover, { recursive: true, force: true })
  }
}
