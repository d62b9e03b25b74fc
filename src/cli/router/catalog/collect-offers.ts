import type { Config } from '../../../config/config.js'
import type { Offer } from '../../../features/gateway/catalog/build-catalog.js'
import { readListedModels, readRegistryModels } from '../../../features/gateway/catalog/read-offers.js'
import { type Template, templateOf } from '../../../features/gateway/config/templates.js'
import { createOrigin } from '../../../features/registry/origin.js'
import { ConfigurationError } from '../../../platform/configuration-error.js'
import { readVersion } from '../../../platform/version.js'
import { CLI_LIMITS } from '../../limits.js'
import { PROVIDERS as IN_REGISTRY, registryOf } from '../../lock/registry.js'

type TemplateFor = (provider: string) => Template | null

/**
 * What these providers offer: of openai, anthropic and google what the registry says, of the others their own lists, which
 * are asked for with their keys. Throws if one of them cannot be had: a catalogue that lacks it would look whole.
 */
export async function collectOffers(
  config: Config,
  providers: readonly string[],
  online: boolean,
  templateFor: TemplateFor = templateOf,
): Promise<readonly Offer[]> {
  const keys = keysOf(providers, config.router.variable, templateFor)
  const load = registryOf(config, online)
  const lists = await Promise.all(
    providers.map(async (provider) =>
      IN_REGISTRY.includes(provider)
        ? readRegistryModels(provider, await load(provider))
        : readListedModels(provider, await askFor(provider, templateFor(provider), keys.get(provider))),
    ),
  )
  return lists.flat()
}

/** The keys of those that are asked themselves and have one. Throws with every one that is missing. */
function keysOf(
  providers: readonly string[],
  variable: Config['router']['variable'],
  templateFor: TemplateFor,
): ReadonlyMap<string, string> {
  const faults: string[] = []
  const keys = new Map<string, string>()
  for (const provider of providers) {
    const template = templateFor(provider)
    if (template === null) faults.push(`${provider}: no such provider is known`)
    if (template?.apiKeyEnv === null || template === null || IN_REGISTRY.includes(provider)) continue
    const key = variable(template.apiKeyEnv)?.trim() ?? ''
    if (/^[\x21-\x7e]+$/.test(key)) keys.set(provider, key)
    else faults.push(`${provider}: the variable ${template.apiKeyEnv} ${key === '' ? 'is not set' : 'holds no key'}`)
  }
  if (faults.length > 0) throw new ConfigurationError(faults.join('\n'))
  return keys
}

async function askFor(provider: string, template: Template | null, key: string | undefined): Promise<unknown> {
  const { baseUrl = '', headers = {} } = template ?? {}
  const origin = createOrigin({
    ...{ baseUrl, fetchMsMax: CLI_LIMITS.catalogFetchMsMax, userAgent: `llmring-server/${readVersion()}` },
    headers: { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
  })
  try {
    const response = await origin.get('models')
    if (response.status !== 'found')
      throw new Error(`${provider}: ${response.status === 'missing' ? 'it has no list of models' : response.reason}.`)
    return JSON.parse(new TextDecoder().decode(response.bytes)) as unknown
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(`${provider}: it answered with no JSON.`) : error
  } finally {
    await origin.close()
  }
}
