import { z } from '@hono/zod-openapi'
import { instant } from '../../http/instant.js'
import { archiveNumber, provider } from './schema.js'

export const DiffQuery = z.object({
  provider,
  from: archiveNumber,
  to: archiveNumber.optional().openapi({ description: 'The newest version if absent.', example: 2 }),
})

const FieldChange = z
  .object({ old: z.unknown().optional(), new: z.unknown().optional() })
  .openapi('RegistryFieldChange', {
    description: 'A member is absent if the field was.',
  })
export const RegistryDiff = z
  .object({
    provider: z.string(),
    from: z.number().int(),
    to: z.number().int(),
    added: z.array(z.string()).openapi({ description: 'Models, as `provider:model`.' }),
    removed: z.array(z.string()),
    changed: z.record(z.string(), z.record(z.string(), FieldChange)).openapi({ description: 'By model and field.' }),
  })
  .openapi('RegistryDiff')

export const PricesParams = z.object({
  provider,
  model: z.string().min(1).max(512).openapi({ description: 'With or without its provider.', example: 'gpt-4o-mini' }),
})

const Span = z
  .object({
    from_version: z.number().int(),
    to_version: z.number().int().openapi({ description: 'The last version with this price.' }),
    first_seen_at: instant().nullable().openapi({ description: 'When this installation first had it.' }),
    updated_at: instant().nullable().openapi({ description: 'When the registry says that it made `from_version`.' }),
    unit_prices: z.record(z.string(), z.string()).openapi({
      description: "USD per million tokens, exact, by the registry's own field names.",
      example: { dollars_per_million_tokens_input: '0.15' },
    }),
    long_context_threshold_tokens: z.number().int().nullable(),
  })
  .openapi('RegistryPrice')
export const RegistryPrices = z
  .object({
    provider: z.string(),
    model: z.string(),
    newest_version: z.number().int().nullable(),
    prices: z.array(Span).openapi({ description: 'Newest first.' }),
  })
  .openapi('RegistryPrices')
