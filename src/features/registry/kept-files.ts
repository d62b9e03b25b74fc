import { within } from '../../platform/lifecycle.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { KeptFile, RegistryStore } from './store.js'

/** What Postgres keeps, as far as it can be read now. Never rejects. */
export type KeptFiles = {
  readonly newest: (paths: readonly string[]) => Promise<readonly KeptFile[]>
  readonly seenAsCurrent: (provider: string, version: number) => Promise<KeptFile | undefined>
}

/**
 * Reads that are bounded in time: a lost Postgres does not refuse, it keeps its callers waiting, and the registry can do
 * without it as long as the origin answers.
 */
export function readKeptFiles(store: RegistryStore, logger: Logger): KeptFiles {
  const orElse = async <T>(read: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await within(REGISTRY_LIMITS.keptReadMsMax, read)
    } catch (error) {
      logger.warn({ error: describeError(error) }, 'kept registry files could not be read')
      return otherwise
    }
  }
  return {
    newest: (paths) => orElse<readonly KeptFile[]>(store.newest(paths), []),
    seenAsCurrent: (provider, version) => orElse(store.seenAsCurrent(provider, version), undefined),
  }
}
