import { type ProjectId, READS, WRITES } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { JSON_TYPE, jsonResponse, plainBytes } from '../../http/response.js'
import { streamResponse } from '../../http/stream.js'
import type { Warm, WarmResponse } from '../../http/warm-lane.js'
import { AppError } from '../../platform/errors.js'
import { invariant } from '../../platform/invariant.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'
import type { AliasPage, ListInput } from './list-aliases.js'
import { renderAlias } from './render.js'
import * as schema from './schema.js'

export type AliasVerbs = {
  readonly list: (projectId: ProjectId, input: ListInput) => Promise<string | AsyncGenerator<string>>
  readonly page: (projectId: ProjectId, input: ListInput & { readonly limit: number }) => Promise<AliasPage>
  readonly find: (key: AliasKey) => Promise<Alias | undefined>
  readonly resolve: (key: AliasKey) => string | Promise<string>
  readonly warmResolve: Warm
  readonly set: (writer: Writer, bindings: readonly Binding[]) => Promise<Alias | undefined>
  readonly remove: (writer: Writer, key: AliasKey) => Promise<boolean>
}

const BASE = '/api/v1/aliases'
const tag = 'Aliases'
const BINDING = { model: 'openai:gpt-4o-mini', metadata: { owner: 'search' } }
const ALIAS = { description: 'The alias.', schema: schema.AliasSchema }

export function mountAliases(app: App, guards: Guards, verbs: AliasVerbs): void {
  mountResolve(app, guards, verbs)
  mountList(app, guards, verbs)
  mountBulk(app, guards, verbs)
  mountBind(app, guards, verbs)
  mountOne(app, guards, verbs)
}

function mountResolve(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/resolve`,
    tag,
    operationId: 'resolveAlias',
    summary: 'What an alias means now',
    description:
      'An unknown alias gives `model: null`, and so does an empty one (`?alias=`): it names none. Without `alias=` this is the address of the alias that is named `resolve`.',
    access: READS,
    problems: ['not-found'],
    query: schema.ResolveQuery,
    emptyQuery: ['alias'],
    warm: verbs.warmResolve,
    responses: {
      200: { description: 'The model, and its fallbacks.', schema: schema.Resolved.or(schema.AliasSchema) },
    },
    handle: ({ principal, query }) => {
      const { alias, profile } = query
      if (alias === undefined) return showAlias(verbs, { projectId: principal.projectId, profile, alias: 'resolve' })
      const answer = verbs.resolve({ projectId: principal.projectId, profile, alias })
      return answer instanceof Promise ? answer.then((bytes) => plainBytes(bytes)) : plainBytes(answer)
    },
  })
}

function mountList(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/`,
    tag,
    operationId: 'listAliases',
    summary: 'List aliases, by name',
    description: 'All of them, streamed; or a page, with the next one named by the header `Link` (RFC 8288).',
    access: READS,
    query: schema.ListQuery,
    responses: { 200: { description: 'Of one profile, or of all.', schema: schema.AliasList } },
    handle: async ({ principal, query: { profile, after, limit } }) => {
      const input = { profile, after }
      if (limit !== undefined)
        return pageResponse(await verbs.page(principal.projectId, { ...input, limit }), profile, limit)
      const list = await verbs.list(principal.projectId, input)
      return typeof list === 'string' ? plainBytes(list) : streamResponse(list, { 'Content-Type': JSON_TYPE })
    },
  })
}

function pageResponse({ text, next }: AliasPage, profile: string | undefined, limit: number): WarmResponse {
  if (next === undefined) return plainBytes(text)
  const query = new URLSearchParams({
    ...(profile === undefined ? {} : { profile }),
    limit: String(limit),
    after: next,
  })
  return plainBytes(text, { 'Content-Type': JSON_TYPE, Link: `<${BASE}/?${query}>; rel="next"` })
}

function mountBulk(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/bulk_upsert`,
    tag,
    operationId: 'bulkUpsertAliases',
    summary: 'Bind many aliases, all or none',
    description:
      "One transaction. An item's own `profile` wins over the query's; of several items for one alias the last wins.",
    access: WRITES,
    problems: ['conflict', 'project-full'],
    query: schema.ProfileQuery,
    body: schema.BulkBody,
    bodyGzip: true,
    bodyItems: {
      schema: schema.Binding,
      itemsMax: ALIAS_LIMITS.itemsPerBulkMax,
      itemBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    },
    bodyExample: [{ alias: 'summarizer', ...BINDING }],
    responses: { 200: { description: 'How many items were sent.', schema: schema.Updated } },
    handle: async ({ principal, query, body }) => {
      const items = body ?? []
      await verbs.set(
        principal,
        items.map((item) => ({ ...item, profile: item.profile ?? query.profile })),
      )
      return jsonResponse({ updated: items.length })
    },
  })
}

function mountBind(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/bind`,
    tag,
    operationId: 'bindAlias',
    summary: 'Bind an alias',
    description: 'Creates it or replaces what it meant. `models` is an ordered list whose first is `model`.',
    access: WRITES,
    problems: ['conflict', 'project-full'],
    body: schema.Binding,
    bodyBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    bodyExample: { alias: 'summarizer', ...BINDING },
    responses: { 200: ALIAS },
    handle: async ({ principal, body }) =>
      setOne(verbs, principal, { ...body, profile: body.profile ?? schema.DEFAULT_PROFILE }),
  })
}

function mountOne(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/{alias}`,
    tag,
    operationId: 'getAlias',
    summary: 'Show an alias',
    access: READS,
    problems: ['not-found'],
    params: schema.AliasPath,
    query: schema.ProfileQuery,
    responses: { 200: ALIAS },
    handle: ({ principal, params, query }) => showAlias(verbs, { projectId: principal.projectId, ...query, ...params }),
  })
  mount(app, guards, {
    method: 'put',
    path: `${BASE}/{alias}`,
    tag,
    operationId: 'putAlias',
    summary: 'Set what an alias means',
    access: WRITES,
    problems: ['conflict', 'project-full'],
    params: schema.AliasPath,
    query: schema.ProfileQuery,
    body: schema.PutBinding,
    bodyBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    bodyExample: BINDING,
    responses: { 200: ALIAS },
    handle: async ({ principal, params, query, body }) =>
      setOne(verbs, principal, { ...params, ...body, profile: body.profile ?? query.profile }),
  })
  mount(app, guards, {
    method: 'delete',
    path: `${BASE}/{alias}`,
    tag,
    operationId: 'deleteAlias',
    summary: 'Delete an alias',
    access: WRITES,
    params: schema.AliasPath,
    query: schema.ProfileQuery,
    responses: { 200: { description: 'Whether it was there.', schema: schema.Deleted } },
    handle: async ({ principal, params, query }) => {
      const key = { projectId: principal.projectId, profile: query.profile, alias: params.alias }
      return jsonResponse({ deleted: await verbs.remove(principal, key) })
    },
  })
}

async function setOne(verbs: AliasVerbs, writer: Writer, binding: Binding): Promise<Response> {
  const alias = await verbs.set(writer, [binding])
  invariant(alias !== undefined, 'a written alias is answered')
  return jsonResponse(renderAlias(alias))
}

async function showAlias(verbs: AliasVerbs, key: AliasKey): Promise<Response> {
  const alias = await verbs.find(key)
  if (alias === undefined) throw new AppError('not-found', `No alias '${key.alias}' in profile '${key.profile}'.`)
  return jsonResponse(renderAlias(alias))
}
