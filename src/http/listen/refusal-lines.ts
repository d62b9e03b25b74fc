import type { Logger } from '../../platform/logger.js'
import { HTTP_LIMITS } from '../limits.js'

export type RefusalLines = {
  /** Writes the line of a refused request, or counts it if this second had its share of them. */
  write(line: Readonly<Record<string, unknown>>, kind: string): void
}

/** What a line says, and what the line that sums up the rest calls them. */
type LineTexts = { readonly each: string; readonly rest: string }

/**
 * The log lines of refused requests: the first `perSecondMax` of a second, and one that sums up the rest. A flood of
 * refusals costs its sender nothing, so it must not be written down line by line. `level` is info for what callers do
 * wrong, warn for a dependency that failed them, and error for what is unavailable here.
 */
export function createRefusalLines(
  logger: Logger,
  perSecondMax: number,
  level: 'info' | 'warn' | 'error' = 'info',
  texts: LineTexts = { each: 'request', rest: 'refused requests' },
): RefusalLines {
  let written = 0
  let more = new Map<string, number>()
  let isOpen = false

  const endWindow = () => {
    isOpen = false
    written = 0
    if (more.size === 0) return
    const count = [...more.values()].reduce((sum, some) => sum + some, 0)
    const kinds = Object.fromEntries(more)
    more = new Map()
    logger[level]({ more: count, kinds }, `and ${count} more ${texts.rest}`)
  }

  return {
    write: (line, kind) => {
      if (!isOpen) setTimeout(endWindow, HTTP_LIMITS.refusalWindowMs).unref()
      isOpen = true
      if (written < perSecondMax) {
        written += 1
        logger[level](line, texts.each)
      } else more.set(kind, (more.get(kind) ?? 0) + 1)
    },
  }
}
