import type { JsonValue } from './json-value.js'
import { hasLoneSurrogate } from './well-formed.js'

/** Arrays and objects that may be open at once, the outermost counted. */
export const nestingLevelsMax = 32

export type PlainJsonFault =
  | 'not-json'
  | 'not-plain'
  | 'lone-surrogate'
  | 'non-finite-number'
  | 'unsafe-integer'
  | 'too-deep'
  | 'too-large'

/** What one copy has spent, where it is, and why it stopped. */
export interface PlainJsonWalk {
  /** Lower bound of the canonical bytes that are left; it ends the walk over a value that shares or repeats itself. */
  bytesLeft: number
  /** Names and indices from the top to the value at hand; left as it is where the walk stops. */
  readonly path: (string | number)[]
  reason: PlainJsonFault | null
}

/**
 * A copy of a plain JSON value: every member is read once and the objects of the copy have no prototype, so nothing can
 * change, and no `toJSON` be called, between this check and the bytes. Undefined where the value is no plain JSON
 * (undefined, functions, symbols, bigints, class instances, holes in arrays), holds half a surrogate pair, NaN, an
 * infinity or an integer beyond 2^53-1, or passes a limit; then `walk` says why and where. Members that JSON cannot see
 * (symbols, not enumerable ones) are left out, as `JSON.stringify` leaves them out.
 */
export function copyPlainJson(walk: PlainJsonWalk, value: unknown): JsonValue | undefined {
  if (typeof value === 'string') return copyString(walk, value)
  if (typeof value === 'number') return copyNumber(walk, value)
  if (value === null || typeof value === 'boolean') return spend(walk, 4) ? value : undefined
  if (typeof value !== 'object') return stop(walk, 'not-json')
  if (walk.path.length >= nestingLevelsMax) return stop(walk, 'too-deep')
  return Array.isArray(value) ? copyArray(walk, value) : copyObject(walk, value)
}

function copyString(walk: PlainJsonWalk, value: string): string | undefined {
  if (!spend(walk, value.length + 2)) return undefined
  return hasLoneSurrogate(value) ? stop(walk, 'lone-surrogate') : value
}

function copyNumber(walk: PlainJsonWalk, value: number): number | undefined {
  if (!Number.isFinite(value)) return stop(walk, 'non-finite-number')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return stop(walk, 'unsafe-integer')
  return spend(walk, 1) ? value : undefined
}

function copyArray(walk: PlainJsonWalk, value: readonly unknown[]): JsonValue | undefined {
  // An array keeps its prototype, so an inherited `toJSON` would be called on the copy, too.
  if (Object.getPrototypeOf(value) !== Array.prototype || 'toJSON' in value) return stop(walk, 'not-plain')
  const { length } = value
  // Spent before the first item is read: a hole costs nothing to make, and `new Array(4e9)` is nothing but holes.
  if (!spend(walk, length + 1)) return undefined
  const copy: JsonValue[] = []
  for (let index = 0; index < length; index += 1) {
    walk.path.push(index)
    const item = copyPlainJson(walk, value[index])
    if (item === undefined) return undefined
    walk.path.pop()
    copy.push(item)
  }
  return copy
}

function copyObject(walk: PlainJsonWalk, value: object): JsonValue | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return stop(walk, 'not-plain')
  if (!spend(walk, 2)) return undefined
  const members = value as Readonly<Record<string, unknown>>
  // Without a prototype `__proto__` is a name like any other.
  const copy: Record<string, JsonValue> = Object.create(null)
  for (const name of Object.keys(members)) {
    if (copyString(walk, name) === undefined) return undefined
    walk.path.push(name)
    const member = copyPlainJson(walk, members[name])
    if (member === undefined) return undefined
    walk.path.pop()
    copy[name] = member
  }
  return copy
}

function spend(walk: PlainJsonWalk, bytes: number): boolean {
  walk.bytesLeft -= bytes
  if (walk.bytesLeft < 0) walk.reason = 'too-large'
  return walk.bytesLeft >= 0
}

function stop(walk: PlainJsonWalk, reason: PlainJsonFault): undefined {
  walk.reason = reason
  return undefined
}
