import { isTable, type LockTable, type LockValue } from './lock-value.js'
import type { LockBinding } from './lockfile.js'
import { type Path, problem, quoted } from './notes.js'
import { isGiven, type Reading, readList, readName, readObjectText, readTable, warnOfStrangers } from './read-member.js'

const KNOWN = new Set(['alias', 'models', 'provider', 'model', 'constraints'])

/** A binding with `models`, or one of August 2025 with `provider` and `model`. Undefined if a problem was noted. */
export function readBinding(reading: Reading, path: Path, value: LockValue): LockBinding | undefined {
  const table = readTable(reading, path, value)
  if (table === undefined) return undefined
  warnOfStrangers(reading, path, table, KNOWN)
  const alias = readAlias(reading, [...path, 'alias'], table.get('alias'))
  const models = table.has('models') ? readBoth(reading, path, table) : readProviderAndModel(reading, path, table)
  const constraints = readConstraints(reading, [...path, 'constraints'], table.get('constraints'))
  if (alias === undefined || models === undefined || constraints === undefined) return undefined
  return { alias, models, constraints }
}

export function readAlias(reading: Reading, path: Path, value: LockValue | undefined): string | undefined {
  const alias = readName(reading, path, value)
  // A URL path drops these two segments, so such an alias could never be addressed again.
  if (alias !== '.' && alias !== '..') return alias
  return problem(reading.notes, path, "An alias must not be '.' or '..'.")
}

export function readModels(reading: Reading, path: Path, value: LockValue | undefined): string[] | undefined {
  const items = readList(reading, path, value, reading.limits.modelsPerBindingMax)
  if (items === undefined) return undefined
  if (items.length === 0) return problem(reading.notes, path, 'At least one model must be named.')
  const models = items.map((item, index) => readModel(reading, [...path, index], item))
  return models.includes(undefined) ? undefined : models.filter((model) => model !== undefined)
}

function readModel(reading: Reading, path: Path, value: LockValue | undefined): string | undefined {
  const model = readName(reading, path, value)
  if (model === undefined) return undefined
  if (model.trim() !== model) return problem(reading.notes, path, `${quoted(model)} has space around it.`)
  if (reading.bareModels === 'keep' || /^[^:]+:./s.test(model)) return model
  const lacks = model.includes(':') ? 'is incomplete' : 'names no provider'
  return problem(reading.notes, path, `${quoted(model)} ${lacks}; write it as provider:model, like openai:gpt-4o-mini.`)
}

/** `models`, beside which older members may stand if they say the same. */
function readBoth(reading: Reading, path: Path, table: LockTable): string[] | undefined {
  const models = readModels(reading, [...path, 'models'], table.get('models'))
  if (models === undefined || !(table.has('provider') || table.has('model'))) return models
  if (models[0] === `${String(table.get('provider'))}:${String(table.get('model'))}`) return models
  const message = 'The binding has `models` and, in the older spelling, another model; keep one of the two.'
  return problem(reading.notes, [...path, 'models'], message)
}

function readProviderAndModel(reading: Reading, path: Path, table: LockTable): string[] | undefined {
  if (!table.has('provider') && !table.has('model')) {
    return problem(reading.notes, [...path, 'models'], 'A binding needs `models`, like ["openai:gpt-4o-mini"].')
  }
  const provider = readName(reading, [...path, 'provider'], table.get('provider'))
  const model = readName(reading, [...path, 'model'], table.get('model'))
  if (provider === undefined || model === undefined) return undefined
  if (provider.includes(':')) return problem(reading.notes, [...path, 'provider'], 'A provider has no colon.')
  reading.notes.isDated = true
  const reference = readModel(reading, [...path, 'model'], `${provider}:${model}`)
  return reference === undefined ? undefined : [reference]
}

/** Null and no constraints are one thing; undefined is a problem. */
function readConstraints(reading: Reading, path: Path, value: LockValue | undefined): string | null | undefined {
  if (!isGiven(value)) return null
  if (isTable(value)) return readObjectText(reading, path, value)
  return problem(reading.notes, path, 'Constraints must be a table, like { max_cost = 10.0 }.')
}
