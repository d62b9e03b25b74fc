import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { bundledRegistry } from './bundled-registry.js'
import { currentTarget, type ProviderName } from './providers.js'
import { ImportRefused, type RegistryDirectory } from './read-directory.js'
import { type ProviderFile, readProviderFile } from './registry-file.js'
import { fileToKeep, type KeptFile, type RegistryStore } from './store.js'

export type ImportDeps = {
  readonly transact: Transact
  readonly store: Pick<RegistryStore, 'newest' | 'keepTogether'>
  /** Whether the bundled files are used: they are known, then. */
  readonly bundled: boolean
  readonly clock: Clock
}

/** What an import brought for a provider. `before`: the version that was known, null if there was none. */
export type ImportedProvider = {
  readonly provider: ProviderName
  readonly version: number
  readonly before: number | null
  readonly models: number
  readonly archivedVersions: number
}

/**
 * Takes a copy of the registry as if it had been fetched now: its current files serve until the origin answers, and its
 * archived ones are the price history. All of it or nothing; throws `ImportRefused` for a provider whose file is older than
 * the one that is known.
 */
export async function importRegistry(deps: ImportDeps, directory: RegistryDirectory): Promise<ImportedProvider[]> {
  const { manifest, current, archived } = directory
  const kept = await deps.store.newest([manifest, ...current].map(({ target }) => target.path))
  const bundled = deps.bundled ? await bundledRegistry()() : []
  const imported = current.map((file) => ({
    ...{ provider: file.provider, version: file.version, models: file.index.byKey.size },
    before: newestVersion(file.provider, kept, bundled),
    archivedVersions: archived.filter(({ provider }) => provider === file.provider).length,
  }))
  refuseOlder(imported)
  // Later than every kept copy, also if the clock of another machine was ahead when it kept one.
  const fetchedAt = Math.max(deps.clock(), ...kept.map((file) => file.fetchedAt + 1))
  const files = [manifest, ...current, ...archived].map((file) => fileToKeep(file, fetchedAt))
  // Crash before the commit: nothing is imported. After it: everything is, and a second import changes only the time.
  await deps.transact((tx) => deps.store.keepTogether(tx, files))
  return imported
}

function refuseOlder(imported: readonly ImportedProvider[]): void {
  const older = imported.filter(({ version, before }) => before !== null && version < before)
  if (older.length === 0) return
  const lines = older.map(
    ({ provider, version, before }) => `  ${provider}@${version}, and ${provider}@${before} is known`,
  )
  throw new ImportRefused(`The folder is older than what is known; nothing was imported:\n${lines.join('\n')}`)
}

function newestVersion(provider: ProviderName, kept: readonly KeptFile[], bundled: readonly ProviderFile[]) {
  const target = currentTarget(provider)
  const versions = bundled.filter((file) => file.provider === provider).map(({ version }) => version)
  for (const { path, bytes } of kept) {
    const result = path === target.path ? readProviderFile(target, bytes) : undefined
    if (result?.ok === true) versions.push(result.file.version)
  }
  return versions.length === 0 ? null : Math.max(...versions)
}
