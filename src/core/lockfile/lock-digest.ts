import type { LockBinding, LockHeader } from './lockfile.js'
import { compareCodePoints, pythonString } from './python-text.js'

/** One binding's canonical text under the rules of today and of August 2025. Worth keeping: most of a digest's cost. */
export type BindingTexts = { readonly models: string; readonly provider: string }

/** What of a profile goes into the digests; `name` is the key, `ownName` what it calls itself if that is another. */
export type ProfileTexts = {
  readonly name: string
  readonly ownName?: string | undefined
  readonly registryVersions: ReadonlyMap<string, number>
  readonly bindings: Iterable<BindingTexts>
}

/** SHA-256 in hex under each of the rules that the Python client had. */
export type LockDigests = {
  /** From 2026-01-23, with `extends`. */
  readonly current: string
  /** From 2025-09-13, with `models` and `metadata`. */
  readonly september2025: string
  /** With `provider` and `model`. */
  readonly august2025: string
}

export function bindingTexts({ alias, models, constraints }: LockBinding): BindingTexts {
  const head = `{"alias":${pythonString(alias)},"constraints":${constraints ?? 'null'}`
  const [primary = ''] = models
  const colon = primary.indexOf(':')
  const model = pythonString(primary.slice(colon + 1))
  const provider = pythonString(primary.slice(0, Math.max(colon, 0)))
  return {
    models: `${head},"models":[${models.map(pythonString).join(',')}]}`,
    provider: `${head},"model":${model},"provider":${provider}}`,
  }
}

/**
 * The three digests of a lockfile: SHA-256 over the lockfile as Python's models dump it, null and empty members
 * included, names sorted. Constraints and metadata must be in their canonical spelling. `sha256` gives the hex digest of
 * the UTF-8 bytes of its chunks, all of which are ASCII.
 */
export function lockDigests(
  header: LockHeader,
  profiles: Iterable<ProfileTexts>,
  sha256: (chunks: Iterable<string>) => string,
): LockDigests {
  const { current, august } = joinProfiles(profiles)
  const head = `{"created_at":${pythonString(header.createdAt)},"default_profile":${pythonString(header.defaultProfile)}`
  const tail = `,"updated_at":${pythonString(header.updatedAt)},"version":${pythonString(header.version)}}`
  const packages = `,"extends":{"packages":[${header.packages.map(pythonString).join(',')}]}`
  const metadata = `,"metadata":${header.metadata}`
  return {
    current: sha256([head, packages, metadata, current, tail]),
    september2025: sha256([head, metadata, current, tail]),
    august2025: sha256([head, august, tail]),
  }
}

/** The member `profiles`, as it is now and as it was in August 2025. */
function joinProfiles(profiles: Iterable<ProfileTexts>): { readonly current: string; readonly august: string } {
  const current: string[] = []
  const august: string[] = []
  for (const profile of [...profiles].sort((one, other) => compareCodePoints(one.name, other.name))) {
    const bindings = [...profile.bindings]
    const head = `${pythonString(profile.name)}:{"bindings":[`
    const tail = `],"name":${pythonString(profile.ownName ?? profile.name)},"registry_versions":${joinVersions(profile)}}`
    current.push(`${head}${bindings.map((texts) => texts.models).join(',')}${tail}`)
    august.push(`${head}${bindings.map((texts) => texts.provider).join(',')}${tail}`)
  }
  return { current: `,"profiles":{${current.join(',')}}`, august: `,"profiles":{${august.join(',')}}` }
}

function joinVersions({ registryVersions }: ProfileTexts): string {
  const sorted = [...registryVersions].sort(([one], [other]) => compareCodePoints(one, other))
  return `{${sorted.map(([provider, version]) => `${pythonString(provider)}:${version}`).join(',')}}`
}
