import type { DateTime } from './date-time.js'

/**
 * A value of TOML or JSON with integers (bigint) and floats (number) apart, as Python keeps them: `JSON.parse` makes
 * one of 10 and 10.0, which have two digests.
 */
export type LockValue = null | boolean | string | bigint | number | UnquotedTime | readonly LockValue[] | LockTable

/** A table or an object: a Map, so that `__proto__` is a name like any. */
export type LockTable = ReadonlyMap<string, LockValue>

/** A date or time without quotes, which only TOML has. */
export type UnquotedTime = { readonly unquoted: DateTime }

export const isTable = (value: LockValue | undefined): value is LockTable => value instanceof Map

export const isList = (value: LockValue | undefined): value is readonly LockValue[] => Array.isArray(value)

export const isUnquotedTime = (value: LockValue | undefined): value is UnquotedTime =>
  typeof value === 'object' && value !== null && 'unquoted' in value
