import type { IndexedModel } from '../pricing/index.js'

/** The limits of a model that the registry tells, in tokens. */
export const LIMIT_FIELDS = ['max_input_tokens', 'max_output_tokens', 'context_window_tokens'] as const

export type LimitField = (typeof LIMIT_FIELDS)[number]

/** A limit in tokens, or undefined if it is not known: the registry writes null or 0 for that. */
export function limitOf({ fields }: IndexedModel, limit: LimitField): number | undefined {
  const tokens = fields[limit]
  return typeof tokens === 'number' && tokens > 0 ? tokens : undefined
}

/**
 * How many tokens of context can be given to a model: its input's limit, which the registry states as the window less
 * the output; in older versions, which do not say, the window. Undefined if neither is known.
 */
export function contextTokensOf(model: IndexedModel): number | undefined {
  return limitOf(model, 'max_input_tokens') ?? limitOf(model, 'context_window_tokens')
}

/** `vision` means the field `supports_vision`; the whole name of any boolean field works, too. */
export function hasCapability({ fields }: IndexedModel, name: string): boolean {
  return fields[`supports_${name}`] === true || fields[name] === true
}

/**
 * Whether a model answers messages with text. Only what says that it does not is left out: a model that embeds, or one
 * that neither streams nor takes a system message. Of a model with few facts the opposite is assumed.
 */
export function isChatModel({ fields }: IndexedModel): boolean {
  if (fields['api_endpoint'] === 'embeddings') return false
  return fields['supports_streaming'] !== false || fields['supports_system_message'] !== false
}
