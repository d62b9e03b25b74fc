import { isList, isTable, type LockValue } from './lock-value.js'
import { pythonString, pythonText } from './python-text.js'

/** A value as Python's `json.dump(…, indent=2)` writes it, which is how the Python client saves a lockfile. */
export function writeJson(value: LockValue, indent = ''): string {
  const inner = `${indent}  `
  if (isTable(value) && value.size > 0) {
    const members = [...value].map(([name, member]) => `${inner}${pythonString(name)}: ${writeJson(member, inner)}`)
    return `{\n${members.join(',\n')}\n${indent}}`
  }
  if (isList(value) && value.length > 0) {
    return `[\n${value.map((item) => `${inner}${writeJson(item, inner)}`).join(',\n')}\n${indent}]`
  }
  return pythonText(value)
}
