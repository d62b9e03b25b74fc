import type { AliasClient, AliasSource, ProfileOption, RequireOptions } from './alias-client.js'
import { AliasError } from './alias-error.js'
import { readModels } from './read-models.js'

/** The client over any source: the rules that lockfile and server have in common. */
export function createClient(source: AliasSource): AliasClient {
  return {
    resolveCandidates: (alias, options) => candidates(source, alias, options),
    resolveAlias: async (alias, options) => {
      const [first] = await candidates(source, alias, options)
      return first as string
    },
    hasAlias: async (alias, options) => {
      try {
        return (await source.find(await source.profileOf(options), alias)) !== undefined
      } catch {
        return false
      }
    },
    requireAliases: (aliases, options = {}) => requireAliases(source, aliases, options),
    bindAlias: async (alias, models, { profile, constraints, metadata, note } = {}) =>
      source.bind(
        {
          profile: await source.profileOf({ profile }),
          alias,
          models: readModels(models),
          constraints: constraints ?? null,
        },
        { ...(metadata === undefined ? {} : { metadata }), ...(note === undefined ? {} : { note }) },
      ),
    unbindAlias: async (alias, options) => source.unbind(await source.profileOf(options), alias, options?.note),
    listAliases: async (options) => source.list(await source.profileOf(options)),
    initLockfile: (options = {}) => source.init(options),
    clearAliasCache: source.clear,
    close: source.close,
  }
}

async function candidates(
  source: AliasSource,
  alias: string,
  options: ProfileOption | undefined,
): Promise<readonly string[]> {
  const profile = await source.profileOf(options)
  const bound = await source.find(profile, alias)
  // A name that is bound wins over a reference of the same spelling: packages override each other's models so.
  if (bound === undefined) {
    if (isModel(alias)) return [alias]
    throw new AliasError('alias-not-found', `No alias '${alias}' in profile '${profile}' of ${source.where}.`)
  }
  const { models, reasons } = await source.candidates(bound)
  if (models.length > 0) return models
  const why = reasons.length === 0 ? '' : ` ${reasons.join(' ')}`
  throw new AliasError('no-candidate', `'${alias}' in profile '${profile}' stands for no model now.${why}`)
}

async function requireAliases(
  source: AliasSource,
  aliases: readonly string[],
  { context, ...options }: RequireOptions,
): Promise<void> {
  const profile = await source.profileOf(options)
  const names = [...new Set(aliases)]
  const found = await Promise.all(names.map((alias) => source.find(profile, alias)))
  const missing = names.filter((_, index) => found[index] === undefined).map((alias) => `'${alias}'`)
  if (missing.length === 0) return
  const who = context === undefined ? '' : `${context}: `
  const message = `${who}not bound in profile '${profile}' of ${source.where}: ${missing.join(', ')}.`
  throw new AliasError('aliases-missing', message)
}

/** Whether a name that is not bound is one that can be called as it is. A wildcard is none. */
const isModel = (name: string): boolean => /^[^:\s][^:]*:\S/.test(name) && !name.endsWith(':*')
