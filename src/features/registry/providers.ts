/** The `providers` member of every response, as clients in the field know it. */
export const PROVIDERS = {
  openai: { name: 'OpenAI', base_url: 'https://api.openai.com/v1', models_endpoint: '/models' },
  anthropic: { name: 'Anthropic', base_url: 'https://api.anthropic.com', models_endpoint: null },
  google: { name: 'Google', base_url: 'https://generativelanguage.googleapis.com', models_endpoint: '/v1/models' },
} as const

export type ProviderName = keyof typeof PROVIDERS

/** In the order in which versions are written: `anthropic@9+google@5+openai@7`. */
export const PROVIDER_NAMES = Object.keys(PROVIDERS).sort() as readonly ProviderName[]

/** `anthropic@9+openai@7`: those of these providers that have a version; null if none has. */
export function versionsOf(
  providers: readonly ProviderName[],
  version: (provider: ProviderName) => number | undefined,
): string | null {
  const known = providers.filter((provider) => version(provider) !== undefined)
  return known.length === 0 ? null : known.map((provider) => `${provider}@${version(provider)}`).join('+')
}

export function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(PROVIDERS, name)
}

/** One file of the origin. `version` is the one that an archived file must have; null if any will do. */
export type Target = {
  readonly path: string
  readonly provider: ProviderName | null
  readonly version: number | null
}

export const MANIFEST: Target = { path: 'manifest.json', provider: null, version: null }

export type ProviderTarget = Target & { readonly provider: ProviderName }

/** The file with a provider's models as they are now. */
export function currentTarget(provider: ProviderName): ProviderTarget {
  return { path: `${provider}/models.json`, provider, version: null }
}

/** The file with a provider's models as they were in an archived version. */
export function archiveTarget(provider: ProviderName, version: number): ProviderTarget {
  return { path: `${provider}/v/${version}/models.json`, provider, version }
}
