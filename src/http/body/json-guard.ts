import type { FieldError } from '../../platform/errors.js'
import { HTTP_LIMITS } from '../limits.js'
import { pointerToken } from '../pointer-token.js'

/** Whether a JSON text nests deeper than `depthMax`. Looks at the text, so it can run before any recursive code. */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x22) index = endOfString(text, index)
    else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > depthMax) return true
    } else if (code === 0x7d || code === 0x5d) depth -= 1
  }
  return false
}

/** The index of the quote that closes the string opened at `start` (or the text's length). */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let slashes = 0
  while (text.charCodeAt(index - 1 - slashes) === 0x5c) slashes += 1
  return slashes % 2 === 1
}

/** Values that JSON can write but that no store keeps as they are: NUL, lone surrogates, numbers beyond a double. */
export function unkeepableValues(value: unknown, pointer = ''): FieldError[] {
  const errors: FieldError[] = []
  const visit = (item: unknown, place: string): void => {
    const message = faultOf(item)
    if (message !== undefined) errors.push({ pointer: place, message })
    else if (typeof item === 'object' && item !== null) {
      for (const [name, member] of Object.entries(item)) {
        if (errors.length >= HTTP_LIMITS.errorsShownMax) return
        const fault = faultOf(name)
        if (fault === undefined) visit(member, place + pointerToken(name))
        else errors.push({ pointer: place, message: `a member's name ${fault}` })
      }
    }
  }
  visit(value, pointer)
  return errors
}

/** Why a text or number cannot be kept, or undefined. */
export function faultOf(item: unknown): string | undefined {
  if (typeof item === 'number') return Number.isFinite(item) ? undefined : 'is beyond the range of a double'
  if (typeof item !== 'string') return undefined
  if (item.includes('\0')) return 'holds the character U+0000'
  return item.isWellFormed() ? undefined : 'holds a lone surrogate'
}
