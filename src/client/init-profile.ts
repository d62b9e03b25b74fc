import type { AliasBinding, InitOptions } from './alias-client.js'
import { AliasError } from './alias-error.js'
import type { Api } from './api.js'
import type { Position } from './mirror.js'

/** What is known of the profile to fill. */
export type KnownProfile = {
  readonly profile: string
  readonly isEmpty: boolean
  readonly position: Position | undefined
}

/** Fills a profile of a server, unless it has aliases; if it is forced, beside those and over them. */
export async function initProfile(
  api: Api,
  { profile, isEmpty, position }: KnownProfile,
  { bindings, providers = ['openai', 'anthropic', 'google'], force = false }: InitOptions,
): Promise<readonly AliasBinding[]> {
  if (!isEmpty && !force) throw new AliasError('lockfile-exists', `Profile '${profile}' of ${api.where} has aliases.`)
  const given = bindings ?? (await suggest(api, providers))
  const body = given.map(({ alias, models }) => ({ alias, model: models[0], models }))
  // A server that tells no changes keeps no revisions either.
  const expected = force || !position?.epoch ? undefined : position.revision
  await api.json('POST', '/api/v1/aliases/bulk_upsert', { query: { profile, expected_revision: expected }, body })
  return given.map(({ alias, models }) => ({ profile, alias, models, constraints: null }))
}

/** Loaded only here: whoever resolves needs neither prices nor capabilities. */
async function suggest(api: Api, providers: readonly string[]) {
  const [{ createRegistry }, { suggestBindings }] = await Promise.all([
    import('./lockfile/registry.js'),
    import('./suggest-bindings.js'),
  ])
  const load = async (provider: string): Promise<unknown> => {
    const path = `/registry/${encodeURIComponent(provider)}/models.json`
    const { text, response } = await api.text('GET', path, { expect: [404] })
    return response.status === 404 ? undefined : JSON.parse(text)
  }
  const facts = await createRegistry(load).facts(providers)
  return suggestBindings(providers.map((name) => facts(name.toLowerCase())).filter((index) => index !== undefined))
}
