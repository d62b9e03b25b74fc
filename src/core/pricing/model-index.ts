import { type Prices, readPrices } from './price.js'

/** Names (keys and aliases) that one provider file may bring; the real ones have about a hundred. */
export const namesPerProviderFileMax = 100_000

/** One model of a provider file. `fields` is the entry itself, every field of the origin, untouched. */
export interface IndexedModel {
  readonly key: string
  readonly active: boolean
  readonly prices: Prices
  readonly fields: Readonly<Record<string, unknown>>
}

/** One version of one provider's models: by key (`openai:gpt-4o-mini`) and by alias (`gpt-4o`, as written there). */
export interface ModelIndex {
  readonly provider: string
  readonly byKey: ReadonlyMap<string, IndexedModel>
  readonly byAlias: ReadonlyMap<string, IndexedModel>
}

export type IndexResult =
  | { readonly ok: true; readonly index: ModelIndex }
  | { readonly ok: false; readonly reason: 'not-a-provider-file' | 'too-many-names' }

/**
 * The index of a provider file (parsed JSON), built once per version so that pricing an event is two map look-ups.
 * Entries that are no objects are left out. If several models list an alias the active ones go first, then the
 * greatest key in code-unit order (the newest of dated names), so the order inside the file does not matter.
 */
export function indexModels(file: unknown): IndexResult {
  if (!isRecord(file) || typeof file['provider'] !== 'string' || !isRecord(file['models'])) {
    return { ok: false, reason: 'not-a-provider-file' }
  }
  const byKey = new Map<string, IndexedModel>()
  const byAlias = new Map<string, IndexedModel>()
  let names = 0
  for (const [key, fields] of Object.entries(file['models'])) {
    if (!isRecord(fields)) continue
    const model = { key, active: fields['is_active'] !== false, prices: readPrices(fields), fields }
    const aliases = aliasesOf(fields)
    names += 1 + aliases.length
    if (names > namesPerProviderFileMax) return { ok: false, reason: 'too-many-names' }
    byKey.set(key, model)
    for (const alias of aliases) byAlias.set(alias, preferred(byAlias.get(alias), model))
  }
  return { ok: true, index: { provider: providerName(file['provider']), byKey, byAlias } }
}

/**
 * The model that an event names, or `undefined`. `provider` is read without regard to case and must be the index's own;
 * `model` is case-sensitive (`GPT-4.1` and `gpt-4.1` are two models) and may carry the provider (`openai:gpt-4o-mini`).
 * An exact key goes before an alias, because some aliases are other models' names. Inactive models are found too.
 */
export function findModel(index: ModelIndex, provider: string, model: string): IndexedModel | undefined {
  if (providerName(provider) !== index.provider) return undefined
  const bare = withoutProvider(model, index.provider)
  return (
    index.byKey.get(`${index.provider}:${model}`) ??
    index.byKey.get(`${index.provider}:${bare}`) ??
    index.byAlias.get(model) ??
    index.byAlias.get(bare)
  )
}

/** The one spelling of a provider's name: `OpenAI` and `openai` are the same provider. */
export function providerName(text: string): string {
  return text.toLowerCase()
}

function withoutProvider(model: string, provider: string): string {
  const colon = model.indexOf(':')
  return colon > 0 && providerName(model.slice(0, colon)) === provider ? model.slice(colon + 1) : model
}

function aliasesOf(fields: Readonly<Record<string, unknown>>): string[] {
  const aliases = fields['model_aliases']
  return Array.isArray(aliases) ? aliases.filter((alias) => typeof alias === 'string') : []
}

function preferred(known: IndexedModel | undefined, next: IndexedModel): IndexedModel {
  if (known === undefined) return next
  if (known.active !== next.active) return known.active ? known : next
  return known.key > next.key ? known : next
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
