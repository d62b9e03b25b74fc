import { canonicalText, type LockBinding, type LockProfile } from '../../core/lockfile/index.js'
import { placeAliases } from './place-aliases.js'
import type { AliasName, WantedBinding } from './publish.js'

/** A binding as it is stored. */
export type HeldBinding = LockBinding & { readonly profile: string; readonly place: number }

export type Meaning = Pick<LockBinding, 'models' | 'constraints'>
/** One alias that differs between what is bound and what shall be; null where it is not bound. */
export type Difference = AliasName & { readonly before: Meaning | null; readonly after: Meaning | null }

/** What has to be written so that profiles are as a file has them, and what of it changes a meaning. */
export type Comparison = {
  readonly differences: readonly Difference[]
  readonly set: readonly WantedBinding[]
  readonly remove: readonly AliasName[]
}

/** `held`: every binding of the profiles that the file decides, in the order of each profile. */
export function compare(
  profiles: ReadonlyMap<string, Pick<LockProfile, 'bindings'>>,
  held: readonly HeldBinding[],
  lastPlace: number,
): Comparison {
  const heldIn = byProfile(held)
  const compared = [...new Set([...profiles.keys(), ...heldIn.keys()])].map((profile) =>
    compareProfile(profile, profiles.get(profile)?.bindings ?? [], heldIn.get(profile) ?? new Map(), lastPlace),
  )
  return {
    differences: compared.flatMap(({ differences }) => differences),
    set: compared.flatMap(({ set }) => set),
    remove: compared.flatMap(({ remove }) => remove),
  }
}

function compareProfile(
  profile: string,
  wanted: readonly LockBinding[],
  held: ReadonlyMap<string, HeldBinding>,
  lastPlace: number,
): Comparison {
  const names = wanted.map(({ alias }) => alias)
  const places = placeAliases(names, new Map([...held].map(([alias, { place }]) => [alias, place])), lastPlace)
  const differences: Difference[] = []
  const set: WantedBinding[] = []
  for (const binding of wanted) {
    const { alias } = binding
    const before = held.get(alias)
    const place = places.get(alias) ?? 0
    const isSame = before !== undefined && meansSame(before, binding)
    if (!isSame)
      differences.push({ profile, alias, before: before ? meaningOf(before) : null, after: meaningOf(binding) })
    if (!isSame || before.place !== place) set.push({ profile, alias, content: contentOf(binding, place) })
  }
  const kept = new Set(names)
  const gone = [...held.values()].filter(({ alias }) => !kept.has(alias))
  const removed = gone.map((before) => ({ profile, alias: before.alias, before: meaningOf(before), after: null }))
  return {
    differences: [...differences, ...removed],
    set,
    remove: gone.map(({ alias }) => ({ profile, alias })),
  }
}

function byProfile(held: readonly HeldBinding[]): Map<string, Map<string, HeldBinding>> {
  const profiles = new Map<string, Map<string, HeldBinding>>()
  for (const binding of held) {
    const known = profiles.get(binding.profile)
    if (known === undefined) profiles.set(binding.profile, new Map([[binding.alias, binding]]))
    else known.set(binding.alias, binding)
  }
  return profiles
}

const meaningOf = ({ models, constraints }: Meaning): Meaning => ({ models, constraints })

function meansSame(one: Meaning, other: Meaning): boolean {
  if (one.models.length !== other.models.length) return false
  if (one.models.some((model, index) => model !== other.models[index])) return false
  if (one.constraints === other.constraints) return true
  // Those from before there were lockfiles are in the spelling of the one who sent them.
  return one.constraints !== null && other.constraints !== null && canonicalText(one.constraints) === other.constraints
}

function contentOf({ models, constraints }: Meaning, place: number): string {
  const rest = `"metadata":null,"keeps_metadata":true,"place":${place}`
  return `{"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'},${rest}}`
}
