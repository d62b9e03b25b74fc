import { picoPerTokenAtMost } from '../pricing/index.js'

/**
 * What a wildcard's model has to satisfy. An absent member demands nothing. `maxPicoPerToken` is exact: a price per
 * token is a whole number of pico-USD, so it stands for every `max_cost` that lies between it and the next one.
 */
export type Constraints = {
  readonly minContextTokens?: number
  readonly maxPicoPerToken?: bigint
  readonly requires: readonly string[]
}

export type ReadConstraints = { readonly constraints: Constraints; readonly warnings: readonly string[] }

export const NO_CONSTRAINTS: Constraints = { requires: [] }

/** Capabilities that are looked at. A model has some twenty. */
const requiredCapabilitiesMax = 32
/** Warnings that one constraints object brings; beyond it their number is told. */
const warningsMax = 8
const shownCharactersMax = 64

const KNOWN = ['min_context', 'max_cost', 'requires'] as const

/**
 * Reads constraints (parsed JSON) as far as they can be understood: `min_context` in tokens, `max_cost` in USD per
 * million input tokens, `requires` as names of capabilities. Whatever else an object holds is ignored with a warning
 * and never refused, because clients load any object. null and absent members are the same.
 */
export function readConstraints(value: unknown): ReadConstraints {
  if (value === null || value === undefined) return { constraints: NO_CONSTRAINTS, warnings: [] }
  if (!isObject(value)) return { constraints: NO_CONSTRAINTS, warnings: ['constraints is no object; it is ignored.'] }
  const warnings = Object.keys(value)
    .filter((name) => !KNOWN.some((known) => known === name))
    .map((name) => `constraints: '${shown(name)}' is unknown here; it is kept and ignored.`)
  const ignore = (name: string, what: string) => warnings.push(`constraints: ${name} must be ${what}; it is ignored.`)

  const { min_context: context, max_cost: cost, requires } = value
  const minContextTokens = amount(context)
  if (minContextTokens === undefined && isPresent(context)) ignore('min_context', 'a number of tokens, 0 or more')
  const maxPicoPerToken = typeof cost === 'number' ? picoPerTokenAtMost(cost) : undefined
  if (maxPicoPerToken === undefined && isPresent(cost)) {
    ignore('max_cost', 'a number of USD per million input tokens, 0 or more')
  }
  const names = capabilityNames(requires)
  if (names === undefined) ignore('requires', 'a list of names of capabilities')
  else if (names.length > requiredCapabilitiesMax) ignore('requires', `at most ${requiredCapabilitiesMax} names; more`)
  return {
    constraints: {
      ...(minContextTokens === undefined ? {} : { minContextTokens }),
      ...(maxPicoPerToken === undefined ? {} : { maxPicoPerToken }),
      requires: (names ?? []).slice(0, requiredCapabilitiesMax),
    },
    warnings: bounded(warnings),
  }
}

/** The same of a JSON text, as it is stored; null stands for no constraints. A text that is no JSON is ignored. */
export function readConstraintsText(text: string | null): ReadConstraints {
  if (text === null) return readConstraints(null)
  try {
    return readConstraints(JSON.parse(text))
  } catch {
    return readConstraints(text)
  }
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

/** A lone name stands for a list of one. */
function capabilityNames(value: unknown): readonly string[] | undefined {
  const names: unknown = typeof value === 'string' ? [value] : (value ?? [])
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined
  return [...new Set(names.map((name: string) => name.trim().toLowerCase()))].filter((name) => name !== '')
}

const isPresent = (value: unknown): boolean => value !== null && value !== undefined

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bounded(warnings: readonly string[]): readonly string[] {
  if (warnings.length <= warningsMax) return warnings
  return [...warnings.slice(0, warningsMax), `constraints: ${warnings.length - warningsMax} more warnings.`]
}

const shown = (text: string): string =>
  text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax).toWellFormed()}…`
