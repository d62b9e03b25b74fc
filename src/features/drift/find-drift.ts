import type { ProjectId } from '../../access/principal.js'
import { type Drift, driftOf, isKnownTo, parseReference, readConstraintsText } from '../../core/routing/index.js'
import { AppError } from '../../platform/errors.js'
import { createSlices } from '../../platform/slices.js'
import { DRIFT_LIMITS } from './limits.js'
import { type DriftRegistry, type ProviderVersions, readPinned } from './pinned-versions.js'

/** A profile's models, each once, with the versions of the registry that its lockfile pins. */
type BoundProfile = {
  readonly revision: number
  readonly pinned: Readonly<Record<string, unknown>>
  readonly models: readonly {
    readonly reference: string
    readonly constraints: string | null
    readonly aliases: readonly string[]
    readonly aliasCount: number
  }[]
  readonly isCut: boolean
}
export type FindDriftDeps = {
  readonly loadBound: (projectId: ProjectId, profile: string) => Promise<BoundProfile>
  readonly registry: DriftRegistry
}

export type FoundDrift = {
  readonly revision: number
  readonly versions: ReadonlyMap<string, ProviderVersions>
  readonly drift: readonly (Drift & BoundProfile['models'][number])[]
  readonly warnings: readonly string[]
}

/**
 * What became of a profile's models since its lockfile pinned the registry. Throws `registry-unavailable` if the
 * registry cannot say: no answer must look like no drift.
 */
export async function findDrift(
  { loadBound, registry }: FindDriftDeps,
  projectId: ProjectId,
  profile: string,
): Promise<FoundDrift> {
  const bound = await loadBound(projectId, profile)
  const providers = new Set(bound.models.flatMap(({ reference }) => providerOf(reference) ?? []))
  await refuseMissing(registry, providers)
  const pinned = await readPinned(registry, [...providers].sort(), bound.pinned)
  const slices = createSlices()
  const drift: FoundDrift['drift'][number][] = []
  const unknown = new Set<string>()
  for (const model of bound.models) {
    if (slices.isDue()) await slices.pause()
    if (!isKnownTo(registry.facts, model.reference)) unknown.add(providerOf(model.reference) ?? model.reference)
    const { constraints } = readConstraintsText(model.constraints)
    const found = driftOf(model.reference, constraints, { current: registry.facts, pinned: pinned.facts })
    drift.push(...found.map((one) => ({ ...one, ...model })))
  }
  const cut = `Only the first ${bound.models.length} models by name were looked at.`
  const warnings = [...pinned.warnings, ...unknownWarnings(unknown), ...(bound.isCut ? [cut] : [])]
  return { revision: bound.revision, versions: pinned.versions, drift, warnings }
}

/** A provider of the registry that was never loaded must not look like one that the registry does not have. */
async function refuseMissing(registry: DriftRegistry, providers: ReadonlySet<string>): Promise<void> {
  await registry.registryLoaded()
  const missing = [...providers].find((name) => registry.hasProvider(name) && registry.facts(name) === undefined)
  if (missing === undefined) return
  const detail = `The registry's models of ${missing} were never loaded, so that nothing can be compared with them.`
  throw new AppError('registry-unavailable', detail, { retryAfterSeconds: DRIFT_LIMITS.retrySeconds })
}

function providerOf(reference: string): string | undefined {
  const parsed = parseReference(reference)
  return parsed.ok ? parsed.reference.provider.toLowerCase() : undefined
}

/** What cannot be compared, because the registry does not have it. */
function unknownWarnings(names: ReadonlySet<string>): string[] {
  if (names.size === 0) return []
  const { unknownShownMax } = DRIFT_LIMITS
  const shown = [...names].slice(0, unknownShownMax).map((name) => `'${name}'`)
  const more = names.size > unknownShownMax ? ` and ${names.size - unknownShownMax} more` : ''
  return [`The registry has no models of ${shown.join(', ')}${more}: nothing is known of their drift.`]
}
