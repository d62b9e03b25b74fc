import type { FetchFile } from './fetch-file.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { PriceVersions } from './price-store.js'
import { archiveTarget, currentTarget, type ProviderName } from './providers.js'
import { readProviderFile } from './registry-file.js'
import { fileToKeep, type RegistryStore } from './store.js'

export type BackfillDeps = {
  readonly fetch: FetchFile
  readonly store: Pick<RegistryStore, 'keep'>
  readonly versions: Pick<PriceVersions, 'archived'>
  /** Between two requests to the origin. */
  readonly pause: () => Promise<unknown>
  readonly onFile?: (file: { readonly provider: ProviderName; readonly version: number }) => void
}

/** What a backfill did for a provider. `failure`: why it stopped early, null if it came to the first version. */
export type BackfilledProvider = {
  readonly provider: ProviderName
  readonly newest: number | null
  readonly added: number
  /** Kept before this run. */
  readonly known: number
  /** Versions that the origin has not archived. */
  readonly missing: number
  readonly failure: string | null
}

/**
 * Fetches the archived versions of a provider that are not kept yet, newest first, one at a time with a pause, of the
 * newest `versionsMax`. Each is kept before the next is asked for: a run that was ended goes on where it was. Stops
 * after some failures in a row.
 */
export async function backfillProvider(
  deps: BackfillDeps,
  provider: ProviderName,
  versionsMax: number,
): Promise<BackfilledProvider> {
  const target = currentTarget(provider)
  const current = await deps.fetch(target.path, (bytes) => readProviderFile(target, bytes))
  const none = { provider, newest: null, added: 0, known: 0, missing: 0 }
  if (current.status === 'missing') return { ...none, failure: 'the origin has no such provider' }
  if (current.status === 'failed') return { ...none, failure: current.reason }
  const newest = current.file.version
  const archived = new Set(await deps.versions.archived(provider))
  const counts = { added: 0, known: 0, missing: 0 }
  let failures: string[] = []
  for (let version = newest; version > Math.max(0, newest - versionsMax); version--) {
    if (archived.has(version)) {
      counts.known += 1
      continue
    }
    await deps.pause()
    const outcome = await backfillVersion(deps, provider, version)
    if (outcome.status === 'failed') failures.push(`version ${version}: ${outcome.reason}`)
    else {
      failures = []
      counts[outcome.status] += 1
    }
    if (failures.length >= REGISTRY_LIMITS.backfillFailuresMax) break
  }
  return { provider, newest, ...counts, failure: failures.at(-1) ?? null }
}

type Outcome = { readonly status: 'added' | 'missing' } | { readonly status: 'failed'; readonly reason: string }

// Crash here: what was kept stays, and the next run begins with the version that was under way.
async function backfillVersion(deps: BackfillDeps, provider: ProviderName, version: number): Promise<Outcome> {
  const target = archiveTarget(provider, version)
  const fetched = await deps.fetch(target.path, (bytes) => readProviderFile(target, bytes))
  if (fetched.status !== 'fetched') return fetched
  await deps.store.keep(fileToKeep(fetched.file, fetched.fetchedAt))
  deps.onFile?.({ provider, version })
  return { status: 'added' }
}
