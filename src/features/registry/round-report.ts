import type { Logger } from '../../platform/logger.js'
import type { Copy } from './copy.js'
import type { RegistryFile } from './registry-file.js'

/**
 * Says what changed with a round, in one line for all of its files: which ones began to fail, and why, or that they are
 * refreshed again. A file that goes on failing is not named again.
 */
export function createRoundReport(logger: Logger): (round: readonly Copy<RegistryFile>[]) => void {
  const failing = new Set<string>()
  return (round) => {
    const began: Record<string, string> = {}
    const ended: string[] = []
    for (const { target, state } of round) {
      const { failure } = state()
      if (failure === undefined) {
        if (failing.delete(target.path)) ended.push(target.path)
      } else if (!failing.has(target.path)) {
        failing.add(target.path)
        began[target.path] = failure
      }
    }
    if (Object.keys(began).length > 0) {
      const serving = Object.fromEntries(
        round.map(({ target, state }) => [target.path, state().file?.source ?? 'nothing']),
      )
      logger.warn({ failed: began, serving }, 'the registry could not be refreshed; it is tried again')
    }
    if (ended.length > 0) logger.info({ files: ended }, 'the registry is refreshed again')
  }
}
