import {
  type BindingTexts,
  bindingTexts,
  canonicalText,
  type LockDigests,
  lockDigests,
  parseHeader,
  type StoredHeader,
} from '../../core/lockfile/index.js'
import { sha256Hex } from '../../platform/sha256.js'
import type { WrittenBinding } from './head.js'

/** What of a project's lockfile its digests need, with the text of each binding: most of what a digest costs. */
export type LockDocument = {
  readonly epoch: string
  readonly revision: number
  readonly header: LockHeaderRow | undefined
  /** As the lockfile spells it; undefined for a revision from before there were lockfiles. */
  readonly updatedAt: string | undefined
  readonly profiles: ReadonlyMap<string, readonly PlacedTexts[]>
}
/** What stands beside the bindings, as it is stored, and the revision that wrote it. */
export type LockHeaderRow = { readonly text: string; readonly revision: number }
type PlacedTexts = BindingTexts & { readonly alias: string; readonly place: number }
export type LockChange = {
  readonly bindings: readonly WrittenBinding[]
  readonly removed: readonly { readonly profile: string; readonly alias: string }[]
}

export const emptyDocument = (epoch: string): LockDocument => ({
  ...{ epoch, revision: 0, header: undefined, updatedAt: undefined, profiles: new Map() },
})

/** The profiles after a change. What was removed and is bound again counts as bound. */
export function changeProfiles(profiles: LockDocument['profiles'], change: LockChange): LockDocument['profiles'] {
  const touched = new Map<string, { readonly gone: Set<string>; readonly added: PlacedTexts[] }>()
  const touch = (profile: string) => {
    const known = touched.get(profile) ?? { gone: new Set(), added: [] }
    touched.set(profile, known)
    return known
  }
  for (const { profile, alias } of change.removed) touch(profile).gone.add(alias)
  for (const binding of change.bindings) {
    const { gone, added } = touch(binding.profile)
    gone.add(binding.alias)
    added.push(placedTexts(binding))
  }
  const changed = new Map(profiles)
  for (const [profile, { gone, added }] of touched) {
    const kept = (profiles.get(profile) ?? []).filter(({ alias }) => !gone.has(alias))
    if (kept.length + added.length === 0) changed.delete(profile)
    else changed.set(profile, [...kept, ...added].sort(inOrder))
  }
  return changed
}

function placedTexts({ alias, models, constraints, place }: WrittenBinding): PlacedTexts {
  const spelled = constraints === null ? null : canonicalText(constraints)
  return { alias, place, ...bindingTexts({ alias, models, constraints: spelled }) }
}

const inOrder = (one: PlacedTexts, other: PlacedTexts): number =>
  one.place - other.place || Buffer.compare(Buffer.from(one.alias), Buffer.from(other.alias))

/** The digests of the lockfile, under each rule; undefined for a revision from before there were lockfiles. */
export function digestsOf({ header, updatedAt, profiles }: LockDocument): LockDigests | undefined {
  if (header === undefined || updatedAt === undefined) return undefined
  const stored: StoredHeader = parseHeader(header.text)
  const names = new Set([...stored.profiles.keys(), ...profiles.keys()])
  const texts = [...names].map((name) => {
    const { name: ownName, registryVersions } = stored.profiles.get(name) ?? { name, registryVersions: new Map() }
    return { name, ownName, registryVersions, bindings: profiles.get(name) ?? [] }
  })
  return lockDigests({ ...stored, updatedAt }, texts, sha256Hex)
}

/** What a document takes in memory, about. */
export function charactersOf({ header, profiles }: LockDocument): number {
  let characters = header?.text.length ?? 0
  for (const texts of profiles.values()) {
    for (const { alias, models, provider } of texts) characters += alias.length + models.length + provider.length
  }
  return characters
}
