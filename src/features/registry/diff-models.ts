import { isDeepStrictEqual } from 'node:util'
import type { IndexedModel, ModelIndex } from '../../core/pricing/index.js'

/** A field's values before and after; a member is absent if the field was. */
type FieldChange = { readonly old?: unknown; readonly new?: unknown }
export type ModelsDiff = {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: Readonly<Record<string, Readonly<Record<string, FieldChange>>>>
}

/** What one version's models have that another's have not, by key, sorted. A field with an equal value is no change. */
export function diffModels(from: ModelIndex, to: ModelIndex): ModelsDiff {
  const keys = [...new Set([...from.byKey.keys(), ...to.byKey.keys()])].sort()
  const changed = keys.flatMap((key) => {
    const [one, other] = [from.byKey.get(key), to.byKey.get(key)]
    const fields = one === undefined || other === undefined ? [] : diffFields(one, other)
    return fields.length === 0 ? [] : [[key, Object.fromEntries(fields)] as const]
  })
  return {
    added: keys.filter((key) => !from.byKey.has(key)),
    removed: keys.filter((key) => !to.byKey.has(key)),
    changed: Object.fromEntries(changed),
  }
}

function diffFields(one: IndexedModel, other: IndexedModel): [string, FieldChange][] {
  const names = [...new Set([...Object.keys(one.fields), ...Object.keys(other.fields)])].sort()
  return names.flatMap((name): [string, FieldChange][] => {
    const [before, after] = [memberOf(one, name), memberOf(other, name)]
    return isDeepStrictEqual(before, after) ? [] : [[name, { ...named('old', before), ...named('new', after) }]]
  })
}

const memberOf = ({ fields }: IndexedModel, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

const named = (name: 'old' | 'new', value: unknown): FieldChange => (value === undefined ? {} : { [name]: value })
