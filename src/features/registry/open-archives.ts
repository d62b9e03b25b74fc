import type { Clock } from '../../platform/clock.js'
import { type Archives, createArchives } from './archives.js'
import { fetchFile } from './fetch-file.js'
import type { KeptFiles } from './kept-files.js'
import type { Origin } from './origin.js'
import type { ProviderName } from './providers.js'
import type { FileToKeep } from './store.js'

export type OpenArchivesDeps = {
  readonly kept: KeptFiles
  readonly origin: Origin
  readonly keep: (file: FileToKeep) => void
  readonly clock: Clock
  readonly newestVersion: (provider: ProviderName) => number | undefined
  readonly firstRound: () => Promise<void>
}

/** The archives over Postgres and the origin. */
export function openArchives({ kept, origin, keep, clock, newestVersion, firstRound }: OpenArchivesDeps): Archives {
  const archives = createArchives({
    kept: async (path) => (await kept.newest([path]))[0],
    seenAsCurrent: kept.seenAsCurrent,
    fetch: (path, read) => fetchFile({ askOrigin: (wanted) => origin.get(wanted), clock }, path, read),
    ...{ keep, newestVersion, clock },
  })
  return {
    find: async (provider, version) => {
      // Only once the newest version is known are numbers beyond it refused without asking anybody.
      await firstRound()
      return archives.find(provider, version)
    },
  }
}
