import { describeError, type Logger } from '../../platform/logger.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { FileToKeep, RegistryStore } from './store.js'

export type Keeper = {
  /** Begins to keep a file in Postgres. Nobody waits for it: without Postgres the registry goes on from memory. */
  keep(file: FileToKeep): void
  /** Waits for what was begun. Never rejects. */
  settled(): Promise<void>
}

/**
 * Writes in the order in which files came, one at a time. Beyond `writesWaitingMax` a file is left out: the next refresh
 * brings it again.
 *
 * A crash before a write is done loses a copy that the next refresh, here or elsewhere, keeps.
 */
export function createKeeper(deps: { readonly keep: RegistryStore['keep']; readonly logger: Logger }): Keeper {
  let last = Promise.resolve()
  let waiting = 0
  const write = async (file: FileToKeep): Promise<void> => {
    try {
      await deps.keep(file)
    } catch (error) {
      deps.logger.warn({ path: file.path, error: describeError(error) }, 'registry file could not be kept')
    } finally {
      waiting -= 1
    }
  }
  return {
    keep: (file) => {
      if (waiting >= REGISTRY_LIMITS.writesWaitingMax) {
        deps.logger.warn({ path: file.path, waiting }, 'registry file could not be kept: too many are waiting')
        return
      }
      waiting += 1
      last = last.then(() => write(file))
    },
    settled: () => last,
  }
}
