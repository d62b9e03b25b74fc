import { deadline } from '../../platform/deadline.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { FileToKeep, KeptFile, RegistryStore } from './store.js'

/** The files that Postgres keeps, as far as it can be reached. The registry can do without it while the origin answers. */
export type KeptFiles = {
  /** For each path the content that was served last. Never rejects. */
  newest(paths: readonly string[]): Promise<readonly KeptFile[]>
  /** Never rejects. */
  seenAsCurrent(provider: string, version: number): Promise<KeptFile | undefined>
  /** Begins to keep a file, in the background. */
  keep(file: FileToKeep): void
  /** Waits for what was begun, bounded. Never rejects. */
  close(): Promise<void>
}

/**
 * Reads are bounded in time, because a lost Postgres does not refuse, it keeps its callers waiting. Writes go in the order
 * in which files came, one at a time; beyond `writesWaitingMax` a file is left out, and the next refresh brings it again.
 *
 * A crash before a write is done loses a copy that the next refresh, here or in another instance, keeps.
 */
export function openKeptFiles(store: RegistryStore, logger: Logger): KeptFiles {
  let last = Promise.resolve()
  let waiting = 0
  let readable = true
  const readOr = async <T>(read: Promise<T>, otherwise: T): Promise<T> => {
    try {
      const result = await deadline(read, REGISTRY_LIMITS.keptReadMsMax)
      readable = true
      return result
    } catch (error) {
      if (readable) logger.warn({ error: describeError(error) }, 'kept registry files could not be read')
      readable = false
      return otherwise
    }
  }
  const write = async (file: FileToKeep): Promise<void> => {
    try {
      await store.keep(file)
    } catch (error) {
      logger.warn({ path: file.path, error: describeError(error) }, 'registry file could not be kept')
    } finally {
      waiting -= 1
    }
  }
  return {
    newest: (paths) => readOr<readonly KeptFile[]>(store.newest(paths), []),
    seenAsCurrent: (provider, version) => readOr(store.seenAsCurrent(provider, version), undefined),
    keep: (file) => {
      if (waiting >= REGISTRY_LIMITS.writesWaitingMax) {
        logger.warn({ path: file.path, waiting }, 'registry file could not be kept: too many are waiting')
        return
      }
      waiting += 1
      last = last.then(() => write(file))
    },
    close: () => deadline(last, REGISTRY_LIMITS.writesOnCloseMsMax).catch(() => undefined),
  }
}
