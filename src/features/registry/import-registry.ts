import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { bundledRegistry } from './bundled-registry.js'
import { REGISTRY_LIMITS } from './limits.js'
import { archiveTarget, currentTarget, MANIFEST, PROVIDER_NAMES, type ProviderName } from './providers.js'
import { type ProviderFile, type Read, type RegistryFile, readManifest, readProviderFile } from './registry-file.js'
import { fileToKeep, type KeptFile, type RegistryStore } from './store.js'

/** A folder that is laid out like the public registry, read and checked. */
export type RegistryDirectory = {
  readonly manifest: RegistryFile
  readonly current: readonly ProviderFile[]
  readonly archived: readonly ProviderFile[]
}

/** A folder that cannot be imported, with every reason. Nothing was changed. */
class ImportRefused extends Error {
  override readonly name = 'ImportRefused'
}

const ARCHIVE_NUMBER = /^[1-9]\d{0,6}$/

/**
 * Reads `manifest.json`, `<provider>/models.json` and `<provider>/v/<n>/models.json`, of the providers that are there.
 * What else lies in the folder is left alone. Throws `ImportRefused` with every file that is not what it should be.
 */
export async function readRegistryDirectory(path: string): Promise<RegistryDirectory> {
  const faults: string[] = []
  const read = async <File extends RegistryFile>(file: string, reader: Read<File>): Promise<File | undefined> => {
    const result = await readOne(join(path, file), reader)
    if (result.ok) return result.file
    faults.push(`${file}: ${result.reason}`)
    return undefined
  }
  const readProvider = async (provider: ProviderName) => {
    const target = currentTarget(provider)
    const file = await read(target.path, (bytes) => readProviderFile(target, bytes))
    const archived: ProviderFile[] = []
    for (const version of await listArchive(join(path, provider, 'v'))) {
      const old = archiveTarget(provider, version)
      const one = await read(old.path, (bytes) => readProviderFile(old, bytes))
      if (one !== undefined) archived.push(one)
    }
    const newest = Math.max(0, ...archived.map(({ version }) => version))
    if (file !== undefined && newest > file.version) {
      faults.push(`${target.path}: it says that it is version ${file.version}, and version ${newest} is archived`)
    }
    return { file, archived }
  }

  const manifest = await read(MANIFEST.path, (bytes) => readManifest(MANIFEST, bytes))
  const here = await subfolders(path)
  const providers = PROVIDER_NAMES.filter((name) => here.includes(name))
  if (providers.length === 0) faults.push(`there is no folder of a provider (${PROVIDER_NAMES.join(', ')})`)
  const found: Awaited<ReturnType<typeof readProvider>>[] = []
  for (const provider of providers) found.push(await readProvider(provider))
  if (manifest === undefined || faults.length > 0) throw refused(path, faults)
  const current = found.flatMap(({ file }) => file ?? [])
  return { manifest, current, archived: found.flatMap(({ archived }) => archived) }
}

function refused(path: string, faults: readonly string[]): ImportRefused {
  const more = faults.length - REGISTRY_LIMITS.importFaultsShownMax
  const lines = more > 0 ? [...faults.slice(0, REGISTRY_LIMITS.importFaultsShownMax), `and ${more} more`] : faults
  const list = lines.map((line) => `  ${line}`).join('\n')
  return new ImportRefused(`${path} is not a copy of the registry; nothing was imported:\n${list}`)
}

async function readOne<File extends RegistryFile>(path: string, reader: Read<File>) {
  try {
    const { size } = await stat(path)
    if (size > REGISTRY_LIMITS.fileBytesMax) {
      return { ok: false, reason: `it is larger than ${REGISTRY_LIMITS.fileBytesMax} bytes` } as const
    }
    return reader(new Uint8Array(await readFile(path)))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return { ok: false, reason: code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})` } as const
  }
}

/** The newest `importVersionsMax` archived numbers, oldest first. */
async function listArchive(path: string): Promise<number[]> {
  const numbers = (await subfolders(path)).filter((name) => ARCHIVE_NUMBER.test(name)).map(Number)
  return numbers.sort((one, other) => one - other).slice(-REGISTRY_LIMITS.importVersionsMax)
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name)
}

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
 * archived ones are the price history. All of it or nothing; throws `ImportRefused` for a provider whose file is older
 * than the one that is known.
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
  await deps.transact((tx) => deps.store.keepTogether(tx, files), REGISTRY_LIMITS.importMsMax)
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
