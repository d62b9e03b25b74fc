import { toJsonPointer } from './json-pointer.js'
import { hasLoneSurrogate } from './well-formed.js'

/** How much JSON is read: UTF-16 code units of text, and arrays and objects open at once. */
export interface JsonLimits {
  readonly textCharsMax: number
  readonly nestingLevelsMax: number
}

/** What a scan finds: but for `syntax`, all of it is what `JSON.parse` would take without a word. */
export type JsonFinding =
  | 'syntax'
  | 'too-deep'
  | 'duplicate-name'
  | 'lone-surrogate'
  | 'nul-character'
  | 'number-out-of-range'

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const SURROGATE_FIRST = 0xd800
const SURROGATE_LAST = 0xdfff

/** Fewer digits than this make no infinity unless there is an exponent (the largest double is about 1.8e308). */
const finiteDigitsMax = 308
const NUMBER_REST = /[0-9+\-.eE]*/y

interface Scan {
  readonly text: string
  readonly limits: JsonLimits
  at: number
  /** One entry for each open container: the names met in an object, null for an array. */
  readonly names: (Set<string> | null)[]
  /** One entry for each open container: the name or index that is being read. */
  readonly path: (string | number)[]
  /** The next string is a member's name. */
  nameIsNext: boolean
}

/**
 * Looks through a JSON text for what `JSON.parse` merges or lets pass. Null where there is nothing to find. It does not
 * check the grammar: a text that is not JSON gives null or any finding, and the parser has to refuse it. Linear,
 * iterative.
 */
export function scanJson(text: string, limits: JsonLimits): { reason: JsonFinding; pointer: string } | null {
  const scan: Scan = { text, limits, at: 0, names: [], path: [], nameIsNext: false }
  while (scan.at < text.length) {
    const reason = step(scan, text.charCodeAt(scan.at))
    if (reason !== null) return { reason, pointer: reason === 'syntax' ? '' : toJsonPointer(scan.path) }
  }
  return null
}

function step(scan: Scan, code: number): JsonFinding | null {
  if (code === QUOTE) return readString(scan)
  if (code === MINUS || (code >= DIGIT_0 && code <= DIGIT_9)) return readNumber(scan)
  scan.at += 1
  if (code === OPEN_OBJECT || code === OPEN_ARRAY) return open(scan, code === OPEN_OBJECT)
  if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) close(scan)
  else if (code === COMMA) next(scan)
  return null
}

function open(scan: Scan, isObject: boolean): JsonFinding | null {
  if (scan.names.length >= scan.limits.nestingLevelsMax) return 'too-deep'
  scan.names.push(isObject ? new Set() : null)
  scan.path.push(isObject ? '' : 0)
  scan.nameIsNext = isObject
  return null
}

function close(scan: Scan): void {
  scan.names.pop()
  scan.path.pop()
  scan.nameIsNext = false
}

function next(scan: Scan): void {
  const index = scan.path.at(-1)
  if (typeof index === 'number') scan.path[scan.path.length - 1] = index + 1
  else scan.nameIsNext = index !== undefined
}

function readString(scan: Scan): JsonFinding | null {
  const start = scan.at
  const plain = skipString(scan)
  if (scan.at > scan.text.length) return 'syntax'
  const isName = scan.nameIsNext
  if (plain && !isName) return null
  const quoted = scan.text.slice(start, scan.at)
  const value = plain ? quoted.slice(1, -1) : unquote(quoted)
  const reason = value === null ? 'syntax' : plain ? null : faultOf(value)
  if (!isName || value === null) return reason
  // A name that cannot be written down is reported at its object.
  if (reason !== null) scan.path.pop()
  return reason ?? enterName(scan, value)
}

/** Moves behind the closing quote; true if the text between the quotes is the string itself, in good order. */
function skipString(scan: Scan): boolean {
  const { text } = scan
  let plain = true
  let at = scan.at + 1
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) break
    if (code === BACKSLASH) at += 1
    if (code === BACKSLASH || (code >= SURROGATE_FIRST && code <= SURROGATE_LAST)) plain = false
  }
  scan.at = at + 1
  return plain
}

/** What a quoted string means, by the same parser that will read the document; null where it is no JSON string. */
function unquote(quoted: string): string | null {
  try {
    return JSON.parse(quoted)
  } catch {
    return null
  }
}

function faultOf(value: string): JsonFinding | null {
  if (hasLoneSurrogate(value)) return 'lone-surrogate'
  return value.includes('\0') ? 'nul-character' : null
}

function enterName(scan: Scan, name: string): JsonFinding | null {
  scan.nameIsNext = false
  scan.path[scan.path.length - 1] = name
  const names = scan.names.at(-1)
  if (names?.has(name)) return 'duplicate-name'
  names?.add(name)
  return null
}

function readNumber(scan: Scan): JsonFinding | null {
  NUMBER_REST.lastIndex = scan.at
  const [token = ''] = NUMBER_REST.exec(scan.text) ?? []
  scan.at += token.length
  if (token.length <= finiteDigitsMax && !/e/i.test(token)) return null
  const value = Number(token)
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? 'number-out-of-range' : null
}
