import { withRegistryVersions } from './edit-lockfile.js'
import { edit, type LockfileStore } from './lockfile-source.js'

/** What became of a provider's pin. It is never lowered: a server without a network knows an old registry. */
export type BumpedPin = {
  readonly profile: string
  readonly provider: string
  readonly before: number | null
  /** What the registry has. */
  readonly after: number | null
  readonly status: 'bumped' | 'same' | 'older' | 'unknown'
}

/** Pins the registry's versions for the providers that a lockfile's profiles bind, or one profile's. */
export async function bumpRegistry(
  store: LockfileStore,
  versions: Readonly<Record<string, number>>,
  profile: string | undefined,
  now: () => Date,
): Promise<readonly BumpedPin[]> {
  let pins: readonly BumpedPin[] = []
  await edit(store, (lockfile) => {
    const profiles = [...lockfile.profiles].filter(([name]) => profile === undefined || name === profile)
    pins = profiles.flatMap(([name, { bindings, registryVersions }]) => {
      const bound = bindings.flatMap(({ models }) => models.map((model) => model.slice(0, model.indexOf(':'))))
      const providers = [...new Set([...registryVersions.keys(), ...bound.map((provider) => provider.toLowerCase())])]
      return providers.sort().map((provider) => pinOf(name, provider, registryVersions.get(provider), versions))
    })
    const bumped = pins.filter(({ status }) => status === 'bumped')
    if (bumped.length === 0) return undefined
    return bumped.reduce(
      (before, pin) => withRegistryVersions(before, pin.profile, { [pin.provider]: pin.after ?? 0 }, now()),
      lockfile,
    )
  })
  return pins
}

function pinOf(
  profile: string,
  provider: string,
  pinned: number | undefined,
  versions: Readonly<Record<string, number>>,
): BumpedPin {
  const after = Object.hasOwn(versions, provider) ? (versions[provider] ?? null) : null
  const before = pinned ?? null
  const status = after === null ? 'unknown' : after === before ? 'same' : after < (before ?? 0) ? 'older' : 'bumped'
  return { profile, provider, before, after, status }
}
