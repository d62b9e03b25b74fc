import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson } from '../../../core/json/index.js'
import { RECEIPT_LIMITS } from '../limits.js'
import { refuseText } from '../refusal.js'
import type { IssueInput } from '../schema.js'
import type { ReceiptClaims } from './issue-receipt.js'

const SIGNED = new Set([
  ...['id', 'timestamp', 'registry_version', 'provider', 'model', 'alias', 'profile', 'lock_digest'],
  ...['key_id', 'tokens', 'cost'],
])
const SIGNED_OF_COST = new Set(['amount', 'calculation', 'currency', 'unit_prices'])
const DEFAULT_PROFILE = 'default'

/** A request to issue, and the members of it that are no part of the receipt, as a header's value. */
export type IssueRequest = { readonly claims: ReceiptClaims; readonly ignored: string | undefined }

/**
 * Reads a request to issue. The text is read beside its parsed form: a parser merges members that occur twice, and the
 * client would not know which of them is signed (`validation-failed`).
 */
export function readIssueRequest(body: IssueInput, text: string): IssueRequest {
  const sent = parseStrictJson(text)
  if (!sent.ok) throw refuseText(sent)
  return { claims: readClaims(body), ignored: ignoredMembers(sent.value) }
}

/** `null` means absent, and an empty key id names no key. */
function readClaims(body: IssueInput): ReceiptClaims {
  const { cost, tokens } = body
  const counts = Object.entries(tokens).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return {
    id: body.id ?? undefined,
    timestamp: body.timestamp ?? undefined,
    key_id: body.key_id === '' ? undefined : (body.key_id ?? undefined),
    registry_version: body.registry_version ?? undefined,
    provider: body.provider ?? undefined,
    model: body.model,
    alias: body.alias,
    profile: body.profile ?? DEFAULT_PROFILE,
    lock_digest: body.lock_digest,
    tokens: { cached_input: 0, ...Object.fromEntries(counts) },
    cost: {
      amount: cost.amount,
      ...(cost.calculation == null ? {} : { calculation: cost.calculation }),
      ...(cost.currency == null ? {} : { currency: cost.currency }),
      ...(cost.unit_prices == null ? {} : { unit_prices: cost.unit_prices }),
    },
  }
}

/**
 * Undefined where everything is signed. Clients in the field send members that the original dropped, so they are no
 * fault; but a client must not believe that they were signed. A `signature` is what the answer brings anew, and `null`
 * says nothing: neither is named.
 */
function ignoredMembers(sent: JsonValue): string | undefined {
  if (!isJsonObject(sent)) return undefined
  const ignored = [...strangers(sent, SIGNED, ''), ...strangers(sent['cost'], SIGNED_OF_COST, 'cost/')]
  if (ignored.length === 0) return undefined
  return ignored.slice(0, RECEIPT_LIMITS.ignoredMembersMax).join(', ')
}

function strangers(value: JsonValue | undefined, signed: ReadonlySet<string>, path: string): string[] {
  if (!isJsonObject(value)) return []
  return Object.keys(value)
    .filter((name) => !signed.has(name) && !(path === '' && name === 'signature') && isSaid(value, name))
    .slice(0, RECEIPT_LIMITS.ignoredMembersMax)
    .map((name) => path + encodeURIComponent(name.slice(0, RECEIPT_LIMITS.ignoredNameCharsMax).toWellFormed()))
}

const isSaid = (value: JsonObject, name: string): boolean => (value[name] ?? null) !== null
