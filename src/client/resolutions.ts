import type { AliasBinding } from './alias-client.js'
import { AliasError } from './alias-error.js'
import type { Api } from './api.js'
import { CLIENT_LIMITS } from './limits.js'

type Candidates = { readonly models: readonly string[]; readonly reasons: readonly string[] }
type Known = { readonly key: string; readonly at: number; readonly found: Candidates }

/**
 * The models that bindings with wildcards stand for: the server's registry knows. What it said last counts while it
 * cannot be asked.
 */
export function createResolutions(api: Api) {
  const known = new Map<string, Known>()
  const ask = async ({ profile, alias }: AliasBinding): Promise<Candidates> => {
    type Resolved = { model: string | null; models?: readonly string[]; warnings?: readonly string[] }
    const answer = await api.json<Resolved>('GET', '/api/v1/aliases/resolve', { query: { alias, profile } })
    const models = (answer.models ?? [answer.model]).filter((model) => model !== null)
    return { models, reasons: answer.warnings ?? [] }
  }
  const remember = (name: string, one: Known) => {
    known.delete(name)
    known.set(name, one)
    const [oldest] = known.keys()
    if (known.size > CLIENT_LIMITS.wildcardsMax && oldest !== undefined) known.delete(oldest)
  }
  return {
    clear: () => known.clear(),
    of: async (binding: AliasBinding) => {
      const { profile, alias, models, constraints } = binding
      if (!models.some((model) => model.endsWith(':*'))) return { models, reasons: [] }
      const name = JSON.stringify([profile, alias])
      const key = JSON.stringify([models, constraints])
      const last = known.get(name)
      const isFresh = last?.key === key && Date.now() - last.at < CLIENT_LIMITS.wildcardMsMax
      if (isFresh) return last.found
      try {
        const found = await ask(binding)
        remember(name, { key, at: Date.now(), found })
        return found
      } catch (error) {
        if (last === undefined || !(error instanceof AliasError)) throw error
        return last.found
      }
    },
  }
}
