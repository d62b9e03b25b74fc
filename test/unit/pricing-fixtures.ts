import { readFileSync } from 'node:fs'
import {
  type Cost,
  checkTokens,
  costOf,
  findModel,
  indexModels,
  type ModelIndex,
  type TokenCounts,
} from '../../src/core/pricing/index.js'

const REGISTRY = new URL('../fixtures/registry/', import.meta.url)

/** The text of a registry fixture, for example `openai/v/1/models.json`. */
export function fixtureText(path: string): string {
  return readFileSync(new URL(path, REGISTRY), 'utf8')
}

/** The index of a provider's current fixture, or of an archived one. Throws where the fixture is no provider file. */
export function fixtureIndex(provider: string, version?: number): ModelIndex {
  const folder = version === undefined ? provider : `${provider}/v/${version}`
  const result = indexModels(JSON.parse(fixtureText(`${folder}/models.json`)))
  if (!result.ok) throw new Error(`${folder}: ${result.reason}`)
  return result.index
}

/** What an event on a fixture's model costs. Throws where model or counts are not accepted. */
export function fixtureCost(provider: string, model: string, counts: TokenCounts, version?: number): Cost {
  const found = findModel(fixtureIndex(provider, version), provider, model)
  const tokens = checkTokens(counts)
  if (found === undefined || !tokens.ok) throw new Error(`no such event: ${provider} ${model}`)
  return costOf(found.prices, tokens.parts)
}
