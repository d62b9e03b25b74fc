/** The largest count in any token field of one event. */
export const tokensPerKindMax = 1_000_000_000_000

/** The count fields of an event, in the order in which they are checked. */
const COUNT_FIELDS = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_read_input_tokens',
  'cache_write_5m_input_tokens',
  'cache_write_1h_input_tokens',
  'reasoning_tokens',
] as const

type CountField = (typeof COUNT_FIELDS)[number]

/**
 * Token counts as they stand on the wire; absent or null counts as 0. `cached_input_tokens` is part of `input_tokens`,
 * unless `input_tokens_include_cache` is false: then it stands beside it. `cache_read_…` and `cache_write_…` always
 * stand beside `input_tokens`; `reasoning_tokens` is always part of `output_tokens`.
 */
export type TokenCounts = { readonly [field in CountField]?: number | null | undefined } & {
  readonly input_tokens_include_cache?: boolean | null | undefined
}

/** The same event cut into parts that do not overlap: every token is in exactly one of them, each 0 or more. */
export interface TokenParts {
  readonly input: number
  readonly cached_input: number
  readonly cache_read: number
  readonly cache_write_5m: number
  readonly cache_write_1h: number
  readonly output: number
  readonly reasoning: number
}

export type TokensResult =
  | { readonly ok: true; readonly parts: TokenParts }
  | { readonly ok: false; readonly field: CountField; readonly reason: TokenFault; readonly message: string }

/** Why counts are refused, and the sentence for the caller. */
const TOKEN_FAULTS = {
  'not-a-count': 'Must be a whole number from 0 to 1,000,000,000,000.',
  'counted-twice': 'Must not be sent together with cache_read_input_tokens: both count the same tokens.',
  'over-input': 'Must not exceed input_tokens, of which it is a part (unless input_tokens_include_cache is false).',
  'over-output': 'Must not exceed output_tokens, of which it is a part.',
} as const

type TokenFault = keyof typeof TOKEN_FAULTS

/** The parts of an event's counts, or the first field that cannot be true and why. The only way to `TokenParts`. */
export function checkTokens(tokens: TokenCounts): TokensResult {
  for (const field of COUNT_FIELDS) if (!isCount(tokens[field] ?? 0)) return fault(field, 'not-a-count')
  const input = tokens.input_tokens ?? 0
  const output = tokens.output_tokens ?? 0
  const cached = tokens.cached_input_tokens ?? 0
  const cacheRead = tokens.cache_read_input_tokens ?? 0
  const reasoning = tokens.reasoning_tokens ?? 0
  const cachedInside = tokens.input_tokens_include_cache === false ? 0 : cached
  if (cached > 0 && cacheRead > 0) return fault('cached_input_tokens', 'counted-twice')
  if (cachedInside > input) return fault('cached_input_tokens', 'over-input')
  if (reasoning > output) return fault('reasoning_tokens', 'over-output')
  const parts = {
    input: input - cachedInside,
    cached_input: cached,
    cache_read: cacheRead,
    cache_write_5m: tokens.cache_write_5m_input_tokens ?? 0,
    cache_write_1h: tokens.cache_write_1h_input_tokens ?? 0,
    output: output - reasoning,
    reasoning,
  }
  return { ok: true, parts }
}

/** Everything that went into the model, cached or not: what a long-context threshold is compared with. */
export function inputTotal(parts: TokenParts): number {
  return parts.input + parts.cached_input + parts.cache_read + parts.cache_write_5m + parts.cache_write_1h
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= tokensPerKindMax
}

function fault(field: CountField, reason: TokenFault): TokensResult {
  return { ok: false, field, reason, message: TOKEN_FAULTS[reason] }
}
