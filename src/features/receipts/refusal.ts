import type { JsonFinding, PlainJsonFault, StrictJsonRefusal } from '../../core/json/index.js'
import type { BuildFault } from '../../core/proof/index.js'
import { AppError } from '../../platform/errors.js'

const STRICT_JSON: Record<JsonFinding | 'too-long', string> = {
  syntax: 'is not well-formed JSON',
  'too-deep': 'nests too deep',
  'too-long': 'is too long for a receipt',
  'duplicate-name': 'occurs twice in its object; readers would disagree about which one counts',
  'lone-surrogate': 'holds half a surrogate pair',
  'nul-character': 'holds the character U+0000',
  'number-out-of-range': 'is beyond the range of a double',
}

const BUILD: Record<BuildFault | PlainJsonFault, string> = {
  'bad-id': 'must be 1 to 128 of A-Z a-z 0-9 . _ : -',
  'wrong-key-id': 'is not the key that signs here; leave it out, or see /receipts/public-keys.json',
  'not-an-instant': 'must be an RFC 3339 instant in UTC, like 2026-01-31T12:00:00Z',
  'not-a-date': 'is on a day that does not exist',
  'not-a-time': 'is at a time that does not exist',
  'ahead-of-clock': 'is more than five minutes ahead of the clock here',
  'not-a-decimal': 'must be a decimal number of US dollars',
  negative: 'must not be negative',
  'too-large': 'is too large',
  'too-many-places': 'has more than 12 places behind the point; it is signed exactly or not at all',
  'bad-text': 'is too long, or holds U+0000 or half a surrogate pair',
  'bad-counter-name': 'has a member whose name is not like input or cached_input',
  'too-many-counters': 'has too many members',
  'bad-count': 'must be a whole number from 0 to 2^53 - 1',
  'bad-unit-price': 'must be a decimal string with at most 12 places',
  'unknown-currency': 'must be USD',
  'not-json': 'is not JSON',
  'not-plain': 'is not plain JSON',
  'lone-surrogate': 'holds half a surrogate pair',
  'non-finite-number': 'is not a finite number',
  'unsafe-integer': 'is an integer beyond 2^53 - 1',
  'too-deep': 'nests too deep',
}

/** What is wrong with a text that is not strict JSON, in a sentence. */
export function describeStrictJson({ reason, pointer }: StrictJsonRefusal): string {
  return `${pointer === '' ? 'The document' : pointer} ${STRICT_JSON[reason]}.`
}

/** `validation-failed` for a text that parsers would read differently. */
export function refuseText(refusal: StrictJsonRefusal): AppError {
  return invalid(refusal.pointer, STRICT_JSON[refusal.reason])
}

/** `validation-failed` for a payload that cannot become a receipt. */
export function refusePayload(refusal: { reason: BuildFault | PlainJsonFault; pointer: string }): AppError {
  return invalid(refusal.pointer, BUILD[refusal.reason])
}

/** `validation-failed` for one member; the pointer is RFC 6901. */
export function invalid(pointer: string, message: string): AppError {
  const detail = pointer === '' ? `The receipt ${message}.` : `${pointer}: ${message}`
  return new AppError('validation-failed', detail, { errors: [{ pointer, message }] })
}
