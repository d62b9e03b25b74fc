import { memberText } from './date-time.js'
import { isList, isUnquotedTime, type LockTable, type LockValue } from './lock-value.js'

/**
 * A value as Python's `json.dumps(…, sort_keys=True, separators=(",", ":"))` writes it: names sorted by code point,
 * everything beyond printable ASCII escaped, floats as `repr` spells them, integers exact, NaN and infinities null.
 */
export function pythonText(value: LockValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return pythonString(value)
  if (typeof value === 'number') return pythonFloat(value) ?? 'null'
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (isUnquotedTime(value)) return pythonString(memberText(value.unquoted))
  if (isList(value)) return `[${value.map(pythonText).join(',')}]`
  return `{${sortedEntries(value)
    .map(([name, member]) => `${pythonString(name)}:${pythonText(member)}`)
    .join(',')}}`
}

export function pythonString(text: string): string {
  const json = JSON.stringify(text)
  return PRINTABLE_ASCII.test(json) ? json : json.replace(BEYOND_ASCII, escapeUnit)
}

const PRINTABLE_ASCII = /^[ -~]*$/
/** UTF-16 units: a character beyond the BMP is escaped as two of them. */
const BEYOND_ASCII = /[\u007f-\uffff]/g
const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * Python's `repr` of a float. The digits are those of ECMA-262, the shortest that give the same double; the exponent
 * begins earlier (from 1e16, below 1e-4) and has two digits at least. Null for NaN and infinities.
 */
export function pythonFloat(value: number): string | null {
  if (!Number.isFinite(value)) return null
  if (Object.is(value, -0)) return '-0.0'
  const [digits = '', power = ''] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  const plain = String(value)
  return plain.includes('.') ? plain : `${plain}.0`
}

const sortedEntries = (table: LockTable): [string, LockValue][] =>
  [...table].sort(([one], [other]) => compareCodePoints(one, other))

/** Python's order of texts. That of JavaScript compares UTF-16 units: it puts U+10000 before U+E000. */
export function compareCodePoints(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; ) {
    const left = one.codePointAt(at) ?? 0
    const right = other.codePointAt(at) ?? 0
    if (left !== right) return left - right
    at += left > 0xffff ? 2 : 1
  }
  return one.length - other.length
}
