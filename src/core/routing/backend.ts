/** How much is asked of a model: 1 for easy prompts, 3 for hard ones. */
export type Tier = 1 | 2 | 3

/**
 * One model that one configured provider serves. A cost is USD per thousand tokens; one that is null counts as nothing
 * beside one that is known, and if both are, the price is not known.
 */
export type Backend = {
  readonly provider: string
  /** The provider's type, so that an alias to `groq:x` finds the provider `groq-free` of type groq. Lower case. */
  readonly type?: string
  readonly model: string
  /** Other names that the model has, as a bare one. */
  readonly names?: readonly string[]
  readonly tier: Tier
  readonly costPerThousandIn: number | null
  readonly costPerThousandOut: number | null
  /** How many tokens of context it takes; absent if the configuration does not say. */
  readonly maxTokens?: number
  /** Lower comes first. */
  readonly priority: number
  /** Its place in the configuration: what decides between equals. */
  readonly order: number
}

/** The name of a backend, by which its state is kept: `provider:model`. */
export const backendName = ({ provider, model }: Pick<Backend, 'provider' | 'model'>): string => `${provider}:${model}`
