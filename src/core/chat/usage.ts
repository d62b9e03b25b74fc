import { isMembers, type Members, membersOf } from './members.js'

/**
 * The tokens of one call, by kind, none in two of them but for `reasoning`, which is part of `output`. `cacheRead` was
 * read from a provider's cache, `cacheWrite…` written to it for so long.
 */
export type ChatUsage = {
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly output: number
  readonly reasoning: number
}

export const NO_USAGE: ChatUsage = {
  input: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  reasoning: 0,
}

const COUNT_MAX = 1_000_000_000

const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= COUNT_MAX

const count = (value: unknown): number => (isCount(value) ? Number(value) : 0)

/**
 * The `usage` of OpenAI's chat completions, whose prompt counts what was cached; null if there is none, or one of its two
 * counts is no count: what is not said of it would be free of charge.
 */
export function readOpenAiUsage(usage: unknown): ChatUsage | null {
  if (!isMembers(usage)) return null
  if (!isCount(usage['prompt_tokens']) || !isCount(usage['completion_tokens'])) return null
  const prompt = count(usage['prompt_tokens'])
  const output = count(usage['completion_tokens'])
  const cacheRead = Math.min(prompt, count(membersOf(usage['prompt_tokens_details'])['cached_tokens']))
  const reasoning = Math.min(output, count(membersOf(usage['completion_tokens_details'])['reasoning_tokens']))
  return { ...NO_USAGE, input: prompt - cacheRead, cacheRead, output, reasoning }
}

/** The same for a caller of OpenAI's surface. */
export function openAiUsage(usage: ChatUsage): Members {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h, output, reasoning } = usage
  const prompt = input + cacheRead + cacheWrite5m + cacheWrite1h
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: cacheRead },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

/**
 * The `usage` of Anthropic's messages, whose input counts nothing that was cached; null if there is none. In a stream
 * it comes in parts: what a later one does not say is as `before` has it.
 */
export function readAnthropicUsage(usage: unknown, before: ChatUsage | null = null): ChatUsage | null {
  if (!isMembers(usage)) return before
  if (!isCount(usage['input_tokens']) && !isCount(usage['output_tokens'])) return before
  const known = before ?? NO_USAGE
  const said = (name: string, otherwise: number) => (isCount(usage[name]) ? count(usage[name]) : otherwise)
  const cacheWrites = said('cache_creation_input_tokens', known.cacheWrite5m + known.cacheWrite1h)
  const byAge = membersOf(usage['cache_creation'])
  const cacheWrite1h = Math.min(
    cacheWrites,
    isCount(byAge['ephemeral_1h_input_tokens']) ? count(byAge['ephemeral_1h_input_tokens']) : known.cacheWrite1h,
  )
  return {
    input: said('input_tokens', known.input),
    cacheRead: said('cache_read_input_tokens', known.cacheRead),
    cacheWrite5m: cacheWrites - cacheWrite1h,
    cacheWrite1h,
    output: said('output_tokens', known.output),
    reasoning: known.reasoning,
  }
}

/** The same for a caller of Anthropic's surface. */
export function anthropicUsage({ input, cacheRead, cacheWrite5m, cacheWrite1h, output }: ChatUsage): Members {
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
    cache_read_input_tokens: cacheRead,
    output_tokens: output,
  }
}
