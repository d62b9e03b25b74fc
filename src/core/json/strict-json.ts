import { type JsonFinding, type JsonLimits, scanJson } from './json-scan.js'
import type { JsonValue } from './json-value.js'

/** Limits for a text that holds one receipt: escapes and whitespace may make it longer than its canonical form. */
export const receiptJsonLimits: JsonLimits = { textCharsMax: 524_288, nestingLevelsMax: 32 }

/** Why a text is refused; `pointer` (RFC 6901) names the member at fault, or the nearest one that can be named. */
export interface StrictJsonRefusal {
  readonly ok: false
  readonly reason: JsonFinding | 'too-long'
  readonly pointer: string
}

export type StrictJsonResult = { readonly ok: true; readonly value: JsonValue } | StrictJsonRefusal

/**
 * Parses a JSON text (RFC 8259) and refuses what parsers silently disagree on (RFC 7493): member names that occur twice
 * in one object, compared after unescaping; halves of surrogate pairs and NUL in strings; numbers that no double holds;
 * nesting and length beyond `limits`. Linear in the text, never recursive, never throws. `__proto__` is a name like
 * any.
 */
export function parseStrictJson(text: string, limits: JsonLimits = receiptJsonLimits): StrictJsonResult {
  if (text.length > limits.textCharsMax) return { ok: false, reason: 'too-long', pointer: '' }
  // Scanned first: whatever reaches the parser is known to be shallow, however its implementation uses the stack.
  const refusal = scanJson(text, limits)
  if (refusal !== null) return { ok: false, ...refusal }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false, reason: 'syntax', pointer: '' }
  }
}
