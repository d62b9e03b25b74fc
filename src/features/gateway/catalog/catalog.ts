import { z } from 'zod'
import { GATEWAY_LIMITS } from '../limits.js'

const { catalogModelsMax, catalogNamesMax, modelCharactersMax } = GATEWAY_LIMITS

const text = () =>
  z
    .string()
    .max(modelCharactersMax)
    .regex(/^[\x21-\x7e]+$/, 'must be of visible ASCII characters')
const cost = () => z.number().min(0).max(10_000).nullish()

/** Other members (addresses, headers, names of variables, breakers) are not read: see `catalogConfig`. */
const Served = z.object({
  model: text(),
  cost_per_1k_in: cost(),
  cost_per_1k_out: cost(),
  max_tokens: z.int().min(1).max(100_000_000).nullish(),
  tier: z.union([z.literal(1), z.literal(2), z.literal(3)]).nullish(),
})

const CatalogShape = z.object({
  providers: z.array(text()).max(catalogNamesMax).default([]),
  models: z
    .array(
      z.object({
        canonical: text(),
        aliases: z.array(text()).max(catalogNamesMax).default([]),
        providers: z.record(text(), Served),
      }),
    )
    .max(catalogModelsMax),
  /** Every model that a provider listed when the catalogue was made, free or not. */
  provider_catalogs: z.record(text(), z.array(text()).max(catalogModelsMax)).default({}),
})

/** Models by one name each, with what every provider calls them. */
export type Catalog = z.output<typeof CatalogShape>
export type CatalogResult =
  | { readonly ok: true; readonly catalog: Catalog }
  | { readonly ok: false; readonly reason: string }

/** Reads a catalogue, which may come from anywhere: the first fault is told by its place, without the value there. */
export function readCatalog(json: string): CatalogResult {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { ok: false, reason: 'is no JSON' }
  }
  const parsed = CatalogShape.safeParse(value)
  if (parsed.success) return { ok: true, catalog: parsed.data }
  const [issue] = parsed.error.issues
  return { ok: false, reason: `is no catalogue (${issue?.path.join('.') || 'the whole'}: ${issue?.message})` }
}
