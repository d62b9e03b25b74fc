import type { AliasBinding, AliasSource, ProfileOption } from './alias-client.js'
import { initProfile } from './init-profile.js'
import type { Mirrored } from './mirror.js'
import { createResolutions } from './resolutions.js'
import { type CopyOptions, createCopies } from './server-copy.js'

export type ServerSourceOptions = CopyOptions & { readonly profile: string }

/** Members of the answers to a bind and a deletion; servers of the first generation know neither models nor revisions. */
type Bound = { readonly revision?: number; readonly models?: readonly string[]; readonly model: string }
type Deleted = { readonly revision?: number; readonly deleted: boolean }

const pathOf = (alias: string): string => `/api/v1/aliases/${encodeURIComponent(alias)}`

const bindingOf = (profile: string, alias: string, { models, constraints }: Mirrored): AliasBinding => {
  return { profile, alias, models, constraints }
}

/** Aliases of a server, from a copy in memory that follows it. Once read, they are answered while it is away. */
export function createServerSource(options: ServerSourceOptions): AliasSource {
  const { api } = options
  const { mirrorOf, note: take, end, clear } = createCopies(options)
  const resolutions = createResolutions(api)
  return {
    where: api.where,
    profileOf: async ({ profile }: ProfileOption = {}) => profile ?? options.profile,
    find: async (profile, alias) => {
      const bound = (await mirrorOf(profile)).find(alias)
      return bound === undefined ? undefined : bindingOf(profile, alias, bound)
    },
    list: async (profile) => {
      const mirror = await mirrorOf(profile)
      return mirror.list().map(([alias, bound]) => bindingOf(profile, alias, bound))
    },
    candidates: resolutions.of,
    bind: async ({ profile, alias, models: [model, ...rest], constraints }, { note, ...kept }) => {
      const body = { alias, profile, model, models: [model, ...rest], constraints, ...kept }
      const headers = { 'X-Change-Note': note }
      const bound = await api.json<Bound>('POST', '/api/v1/aliases/bind', { body, headers })
      const models = bound.models ?? [bound.model]
      take({ op: 'upsert', profile, alias, models, constraints, revision: bound.revision ?? 0 })
      return { profile, alias, models, constraints }
    },
    unbind: async (profile, alias, note) => {
      const sent = { query: { profile }, headers: { 'X-Change-Note': note } }
      const { deleted, revision = 0 } = await api.json<Deleted>('DELETE', pathOf(alias), sent)
      take({ op: 'delete', profile, alias, revision })
      return deleted
    },
    init: async ({ profile = options.profile, ...rest }) => {
      const mirror = await mirrorOf(profile)
      const known = { profile, isEmpty: mirror.list().length === 0, position: mirror.position() }
      return initProfile(api, known, rest)
    },
    clear: () => {
      clear()
      resolutions.clear()
    },
    close: end,
  }
}
