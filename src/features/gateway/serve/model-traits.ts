import type { Members } from '../../../core/chat/index.js'
import { findModel, type ModelIndex } from '../../../core/pricing/index.js'
import type { Provider } from '../config/providers.js'

/** What a model takes of what may be asked of it. */
export type ModelTraits = {
  /** Whether it takes parameters of sampling at all, and the temperatures it takes if those are but some. */
  readonly takesSampling: boolean
  readonly temperatures: readonly unknown[] | null
  /** Whether its answer can be held to a JSON schema. */
  readonly takesJsonSchema: boolean
  /** Whether it can be made to call a tool. */
  readonly takesJsonTool: boolean
}

type TraitsOf = (provider: Provider, model: string) => ModelTraits

export type SpeechDeps = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** What a model takes: the parameters that it refuses are left out. */
  readonly traitsOf: TraitsOf
}

type Facts = (provider: string) => ModelIndex | undefined

/**
 * What the configuration says of a model, else what the registry does, under the provider's name or its type. A model
 * that neither knows takes every parameter: it is its upstream's to refuse one. What the registry says of the schemas of
 * models that are gone is not so.
 */
export function traitsOf({ name, type, models }: Provider, model: string, facts: Facts): ModelTraits {
  const { supportsTemperature, supportsJsonSchema } = models.get(model) ?? {}
  const fields = fieldsOf(name, model, facts) ?? fieldsOf(type, model, facts) ?? {}
  const values = fields['temperature_values']
  return {
    takesSampling: supportsTemperature ?? fields['supports_temperature'] !== false,
    temperatures: supportsTemperature === undefined && Array.isArray(values) && values.length > 0 ? values : null,
    takesJsonSchema: supportsJsonSchema ?? (fields['supports_json_schema'] === true && fields['is_active'] !== false),
    takesJsonTool: fields['supports_function_calling'] !== false && fields['supports_tool_choice'] !== false,
  }
}

function fieldsOf(provider: string, model: string, facts: Facts): Readonly<Record<string, unknown>> | undefined {
  const index = facts(provider.toLowerCase())
  return index === undefined ? undefined : findModel(index, provider, model)?.fields
}

const SAMPLING = ['temperature', 'top_p', 'top_k', 'presence_penalty', 'frequency_penalty'] as const

/** A request without the parameters of sampling that its model refuses. */
export function withoutRefused(body: Members, { takesSampling, temperatures }: ModelTraits): Members {
  const isRefused = (name: string, value: unknown): boolean =>
    !takesSampling || (name === 'temperature' && temperatures !== null && !temperatures.includes(value))
  const refused = SAMPLING.filter((name) => name in body && isRefused(name, body[name]))
  if (refused.length === 0) return body
  const left: Record<string, unknown> = { ...body }
  for (const name of refused) delete left[name]
  return left
}
