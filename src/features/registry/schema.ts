import { z } from '@hono/zod-openapi'
import type { Pin } from './archived-registry.js'
import { REGISTRY_LIMITS } from './limits.js'
import { isProvider, PROVIDER_NAMES, type ProviderName } from './providers.js'

const FILTER_ITEM = /^[A-Za-z0-9_.-]{1,64}$/
const ARCHIVE_NUMBER = /^[1-9]\d{0,6}$/
const PINNED = /^([a-z]+)@([1-9]\d{0,6})$/

/** `b, A,,b` -> `['a', 'b']`; undefined where nothing is left. */
const nameList = (description: string, example: string) =>
  z
    .string()
    .max(REGISTRY_LIMITS.filterCharactersMax)
    .transform((text, context) => {
      const names = text.split(',').map((name) => name.trim().toLowerCase())
      const unique = [...new Set(names.filter((name) => name !== ''))].sort()
      if (unique.length > REGISTRY_LIMITS.filterItemsMax) {
        context.addIssue(`has more than ${REGISTRY_LIMITS.filterItemsMax} names`)
      }
      if (!unique.every((name) => FILTER_ITEM.test(name))) {
        context.addIssue('must be names of letters, digits, "_", "." and "-", separated by commas')
      }
      return unique.length === 0 ? undefined : unique
    })
    .optional()
    .openapi({ type: 'string', description, example })

const versionNumber = (text: string): number | undefined => {
  const version = ARCHIVE_NUMBER.test(text) ? Number(text) : 0
  return version >= 1 && version <= REGISTRY_LIMITS.versionMax ? version : undefined
}

/** `7`, or `anthropic@9+openai@7` (if a plus arrives as the space that it means in a query). */
const pin = z
  .string()
  .max(REGISTRY_LIMITS.filterCharactersMax)
  .transform((text, context): Pin => {
    const version = versionNumber(text)
    if (version !== undefined) return { kind: 'number', version }
    const versions = new Map<ProviderName, number>()
    const parts = text.split(/[+ ]/)
    for (const part of parts) {
      const [, provider = '', digits = ''] = PINNED.exec(part) ?? []
      const pinned = versionNumber(digits)
      if (isProvider(provider) && pinned !== undefined) versions.set(provider, pinned)
    }
    if (versions.size === parts.length) return { kind: 'versions', versions }
    context.addIssue(`must be a whole number from 1 to ${REGISTRY_LIMITS.versionMax}, or like 'anthropic@9+openai@7'`)
    return z.NEVER
  })
  .optional()
  .openapi({
    type: 'string',
    description:
      'An archived version: its number (as in `/registry/v/{n}/registry.json`), or the `version` of an earlier response, which gives those very prices again.',
    example: 'anthropic@2+google@2+openai@2',
  })

export const RegistryQuery = z.object({
  providers: nameList(
    'Only models of these providers. A name that is unknown here matches nothing, and `warnings` says so.',
    'openai,anthropic',
  ),
  capabilities: nameList(
    'Only models with all of these: `vision` means the field `supports_vision`; the whole name of any boolean field works, too. A name that no model has matches nothing, and `warnings` says so.',
    'vision,function_calling',
  ),
  version: pin,
})

export const archiveNumber = z
  .string()
  .transform((text, context) => {
    const version = versionNumber(text)
    if (version !== undefined) return version
    context.addIssue(`must be a whole number from 1 to ${REGISTRY_LIMITS.versionMax}`)
    return z.NEVER
  })
  .openapi({ type: 'integer', minimum: 1, maximum: REGISTRY_LIMITS.versionMax, example: 2 })

export const provider = z.string().openapi({ description: `One of ${PROVIDER_NAMES.join(', ')}.`, example: 'openai' })

export const ArchiveParams = z.object({ n: archiveNumber })
export const ProviderParams = z.object({ provider })
export const ProviderArchiveParams = z.object({ provider, n: archiveNumber })

const Model = z.record(z.string(), z.unknown())
const ProviderEntry = z.object({ name: z.string(), base_url: z.string(), models_endpoint: z.string().nullable() })

export const RegistrySchema = z
  .object({
    version: z.string().openapi({ description: 'The provider files in it; `?version=` takes it back.' }),
    generated_at: z.string().openapi({ description: 'When the newest of these files was made (UTC).' }),
    models: z.record(z.string(), Model).openapi({ description: 'By `provider:model`, every field of the origin.' }),
    providers: z.object({ openai: ProviderEntry, anthropic: ProviderEntry, google: ProviderEntry }),
    warnings: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Only if a copy is stale or missing, or the filter names something unknown.' }),
  })
  .openapi('Registry')

export const ProviderFileSchema = z
  .looseObject({ provider: z.string(), version: z.number().int(), models: z.record(z.string(), z.unknown()) })
  .openapi('ProviderFile')

export const ManifestSchema = z.record(z.string(), z.unknown()).openapi('RegistryManifest')

export const REGISTRY_EXAMPLE = {
  version: 'anthropic@9+google@5+openai@7',
  generated_at: '2026-08-18T21:05:03.715Z',
  models: {
    'openai:gpt-4o-mini': {
      provider: 'openai',
      model_name: 'gpt-4o-mini',
      dollars_per_million_tokens_input: 0.15,
      dollars_per_million_tokens_output: 0.6,
      supports_vision: true,
      is_active: true,
    },
  },
  providers: {
    openai: { name: 'OpenAI', base_url: 'https://api.openai.com/v1', models_endpoint: '/models' },
    anthropic: { name: 'Anthropic', base_url: 'https://api.anthropic.com', models_endpoint: null },
    google: { name: 'Google', base_url: 'https://generativelanguage.googleapis.com', models_endpoint: '/v1/models' },
  },
}
