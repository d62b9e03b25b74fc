import { readFileSync } from 'node:fs'
import { CLI_LIMITS } from './limits.js'

const LIMITS = '/proc/self/limits'

/** How many files this process may have open; undefined on systems that do not say (all but Linux). */
export function readOpenFilesMax(path = LIMITS): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(path, 'utf8'))?.[1]
    if (soft === undefined) return undefined
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return undefined
  }
}

/** What to say where that is too few; undefined where it is enough, or not known. */
export function complainOfOpenFiles(filesMax: number | undefined): string | undefined {
  if (filesMax === undefined || filesMax >= CLI_LIMITS.openFilesMin) return undefined
  return `This process may have only ${filesMax} files open, and llmring-server needs ${CLI_LIMITS.openFilesMin} at least, one more for every connection that it serves. Raise the limit: \`ulimit -n 4096\` in a shell, LimitNOFILE= in a unit of systemd.`
}
