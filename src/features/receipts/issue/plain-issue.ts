import { receiptCalculationCharsMax, receiptCountersMax, receiptTextCharsMax } from '../../../core/proof/index.js'
import type { IssueInput } from '../schema.js'

/** What we say of a receipt ourselves: a client that sends it believes in a statement that is not made. */
export const OURS = ['issued_at', 'issuer', 'project', 'evidence', 'seq', 'prev', 'usage', 'log'] as const

type Members = Readonly<Record<string, unknown>>

/**
 * A body of a request to issue that is plainly right: without an id of the client's choice and without unit prices. It
 * is what the schema would give, in a tenth of its time; undefined leaves it to the schema, which says what is wrong.
 */
export function readPlainIssue(value: unknown): IssueInput | undefined {
  if (!isMembers(value)) return undefined
  const { id, timestamp, registry_version, provider, model, alias, profile, lock_digest, key_id, tokens, cost } = value
  if (id != null || !mayBe(isString, timestamp) || !mayBe(isString, key_id)) return undefined
  if (!mayBe(isText, registry_version) || !mayBe(isText, provider) || !mayBe(isText, profile)) return undefined
  if (!isText(model) || model === '' || !isText(alias) || !isText(lock_digest)) return undefined
  for (const name of OURS) if (value[name] != null) return undefined
  return isPlainTokens(tokens) && isPlainCost(cost) ? (value as IssueInput) : undefined
}

function isPlainTokens(tokens: unknown): boolean {
  if (!isMembers(tokens) || !isCount(tokens['input']) || !isCount(tokens['output'])) return false
  let counters = 0
  for (const name of Object.keys(tokens)) {
    counters += 1
    // The schema drops a member that is named __proto__; all that begin so are left to it.
    if (counters > receiptCountersMax || name.startsWith('_')) return false
    if (tokens[name] === undefined || !mayBe(isCount, tokens[name])) return false
  }
  return true
}

function isPlainCost(cost: unknown): boolean {
  if (!isMembers(cost)) return false
  const { amount, calculation, currency, unit_prices } = cost
  const isAmount = isString(amount) || (typeof amount === 'number' && Number.isFinite(amount))
  const isExplained = calculation == null || (isString(calculation) && calculation.length <= receiptCalculationCharsMax)
  return isAmount && isExplained && (currency == null || currency === 'USD') && unit_prices == null
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isString = (value: unknown): value is string => typeof value === 'string'
const isText = (value: unknown) => isString(value) && value.length <= receiptTextCharsMax
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const mayBe = (is: (value: unknown) => boolean, value: unknown) => value == null || is(value)
