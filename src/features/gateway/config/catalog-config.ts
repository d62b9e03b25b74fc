import type { Catalog } from '../catalog/catalog.js'
import { checkConfig, type GatewayConfigResult, type ReadVariable } from './read-config.js'
import { templateOf } from './templates.js'

type Wanted = {
  /** In their order, which is that of priority. */
  readonly providers: readonly string[]
  /** Whether each of them has to be usable; else those without a key are left out. */
  readonly areNamed: boolean
}

/**
 * The configuration that a catalogue stands for. Of each model only its names, its costs and its limit are taken from it.
 * Where a provider answers, and which variable holds its key, is known here: a catalogue from elsewhere that could say so
 * could have any variable of this process sent to any address.
 */
export function catalogConfig(catalog: Catalog, wanted: Wanted, variable: ReadVariable): GatewayConfigResult {
  const faults: string[] = []
  const providers = wanted.providers.flatMap((name, index) => {
    const template = templateOf(name)
    const models = modelsOf(catalog, name)
    const key = template?.apiKeyEnv ?? null
    const fault = faultOf(name, template !== null, models.length > 0, key !== null && !variable(key) ? key : null)
    if (fault === null) return [{ name, type: name, priority: index + 1, models }]
    faults.push(fault)
    return []
  })
  if (providers.length === 0 || (wanted.areNamed && faults.length > 0)) return { ok: false, faults }
  return checkConfig({ providers }, variable)
}

function faultOf(name: string, isKnown: boolean, hasModels: boolean, missing: string | null): string | null {
  if (!isKnown) return `${name}: no such provider is known`
  if (!hasModels) return `${name}: the catalogue has no model of it`
  return missing === null ? null : `${name}: the variable ${missing} is not set`
}

/** The models of a provider as a configuration names them, each once, with the names that the catalogue has for it. */
function modelsOf({ models }: Catalog, provider: string): object[] {
  const found = new Map<string, object>()
  for (const { canonical, aliases, providers } of models) {
    const served = Object.hasOwn(providers, provider) ? providers[provider] : undefined
    if (served === undefined || found.has(served.model)) continue
    const { model, ...said } = served
    const known = Object.entries(said).filter(([, value]) => value !== null && value !== undefined)
    found.set(model, { model, ...Object.fromEntries(known), aliases: [...new Set([canonical, ...aliases])] })
  }
  return [...found.values()]
}
