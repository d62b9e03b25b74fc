import type { LimitName } from '../../../core/chat/index.js'
import type { Backend } from '../../../core/routing/index.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { ConfigText, ProviderText } from './config-shape.js'
import { type Template, templateOf } from './templates.js'

/** What language an upstream speaks; `echo` is no upstream but an answer that is made here. */
type Wire = 'openai' | 'anthropic' | 'echo'

/** A model as the configuration names it, with the USD that a thousand tokens cost if it says so. */
type ProviderModel = {
  readonly model: string
  readonly costPerThousandIn: number | null
  readonly costPerThousandOut: number | null
  readonly supportsTemperature: boolean | undefined
  readonly supportsJsonSchema: boolean | undefined
}

/** A configured provider. Its credential is behind a function, so that printing the provider never shows it. */
export type Provider = {
  readonly name: string
  readonly type: string
  readonly wire: Wire
  /** Without a slash at the end. */
  readonly baseUrl: string
  readonly credential: () => string | null
  readonly headers: Readonly<Record<string, string>>
  /** What it calls the limit of an answer. */
  readonly limitName: LimitName
  readonly models: ReadonlyMap<string, ProviderModel>
  readonly backends: readonly Backend[]
  readonly breaker: ConfigText['breaker']
  readonly limits: ProviderText['limits']
  readonly streamHeadMsMax: number
  readonly answerHeadMsMax: number
  readonly idleMsMax: number
  readonly mock: { readonly failureRate: number; readonly latencyMs: number; readonly tokensPerSecond: number | null }
}

type Opened = { readonly providers: readonly Provider[]; readonly faults: readonly string[] }

/** The providers of a configuration, in its order, with what their types say of them. */
export function openProviders(config: ConfigText, variable: (name: string) => string | undefined): Opened {
  const faults: string[] = []
  const names = new Set<string>()
  let order = 0
  const providers = config.providers.map((text, index) => {
    const fault = (what: string) => faults.push(`providers[${index}]${what}`)
    if (names.has(text.name)) fault('.name: occurs twice')
    names.add(text.name)
    const models = modelsOf(text)
    if (models.length === 0) fault('.models: names no model')
    if (new Set(models.map(({ model }) => model)).size < models.length) fault('.models: names a model twice')
    const provider = openProvider(text, models, order, config, variable, fault)
    order += models.length
    return provider
  })
  return { providers, faults }
}

type ModelText = ProviderText['models'][number]

const modelsOf = ({ model, models }: ProviderText): readonly ModelText[] =>
  model === undefined ? models : [{ model, tier: 2, aliases: [] }, ...models]

function openProvider(
  text: ProviderText,
  models: readonly ModelText[],
  order: number,
  config: ConfigText,
  variable: (name: string) => string | undefined,
  fault: (what: string) => void,
): Provider {
  const { name, type } = text
  const wire = type === 'anthropic' || type === 'echo' ? type : 'openai'
  const template = templateOf(type)
  const { streamHeadMsMax, answerHeadMsMax, idleMsMax } = GATEWAY_LIMITS
  const headMs = text.timeout_seconds === undefined ? undefined : text.timeout_seconds * 1_000
  return {
    ...{ name, type, wire, baseUrl: (text.base_url ?? template?.baseUrl ?? '').replace(/\/+$/, '') },
    credential: credentialOf(text, template, variable, fault),
    headers: { ...template?.headers, ...text.extra_headers },
    // Its newer models refuse the older name, which is all that others know.
    limitName: type === 'openai' && text.base_url === undefined ? 'max_completion_tokens' : 'max_tokens',
    models: new Map(models.map((entry) => [entry.model, toModel(entry)])),
    backends: models.map((entry, index) => toBackend(text, entry, order + index)),
    breaker: text.circuit_breaker ?? config.breaker,
    limits: text.limits,
    streamHeadMsMax: headMs ?? streamHeadMsMax,
    answerHeadMsMax: headMs ?? answerHeadMsMax,
    idleMsMax: text.idle_seconds === undefined ? idleMsMax : text.idle_seconds * 1_000,
    mock: {
      failureRate: text.mock_failure_rate ?? 0,
      latencyMs: text.mock_latency_ms ?? 0,
      tokensPerSecond: text.mock_tokens_per_second ?? null,
    },
  }
}

const toBackend = ({ name, type, priority }: ProviderText, entry: ModelText, order: number): Backend => ({
  ...{ provider: name, type, model: entry.model, tier: entry.tier, priority, order },
  // The echo is asked of nobody, who could want money for it.
  costPerThousandIn: entry.cost_per_1k_in ?? (type === 'echo' ? 0 : null),
  costPerThousandOut: entry.cost_per_1k_out ?? null,
  ...(entry.max_tokens === undefined ? {} : { maxTokens: entry.max_tokens }),
  ...(entry.aliases.length === 0 ? {} : { names: entry.aliases }),
})

const toModel = ({ model, cost_per_1k_in, cost_per_1k_out, ...said }: ModelText): ProviderModel => ({
  model,
  costPerThousandIn: cost_per_1k_in ?? null,
  costPerThousandOut: cost_per_1k_out ?? null,
  supportsTemperature: said.supports_temperature,
  supportsJsonSchema: said.supports_json_schema,
})

/** A key that is named must be there; one that only the type names may be missing where an address is given. */
function credentialOf(
  { api_key: given, api_key_env: named, base_url: url }: ProviderText,
  template: Template | null,
  variable: (name: string) => string | undefined,
  fault: (what: string) => void,
): () => string | null {
  if (given !== undefined) return () => given
  const name = named ?? (url === undefined ? template?.apiKeyEnv : null) ?? null
  const key = name === null ? null : (variable(name)?.trim() ?? '')
  if (key === '') fault(`.api_key_env: the variable ${name} is not set`)
  // Anything else in a header would end it.
  if (key !== null && !/^[\x21-\x7e]*$/.test(key)) fault(`.api_key_env: the variable ${name} holds no key`)
  return () => key
}
