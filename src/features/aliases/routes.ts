import { READS, WRITES } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import type { Warm, WarmResponse } from '../../http/listen/warm-lane.js'
import { JSON_HEADERS, jsonResponse, plainBytes } from '../../http/response.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { aliasEtag } from './etags.js'
import type { Believed } from './expectations.js'
import { ALIAS_LIMITS } from './limits.js'
import { type ListVerbs, mountList, NOT_MODIFIED } from './list-routes.js'
import { aliasResponse } from './listing-responses.js'
import { readNote } from './note.js'
import type { Published } from './publish.js'
import { renderAlias } from './render.js'
import type { Resolution } from './resolve-alias.js'
import * as schema from './schema.js'
import type { BoundAlias } from './set-aliases.js'
import type { ShownAlias } from './show-alias.js'

export type AliasVerbs = ListVerbs & {
  readonly show: (key: AliasKey) => Promise<ShownAlias>
  readonly warmAlias: Warm
  readonly resolve: (key: AliasKey) => Resolution | Promise<Resolution>
  readonly warmResolve: Warm
  readonly set: (writer: Writer, binding: Binding, options: Believed & Noted) => Promise<BoundAlias>
  readonly setMany: (
    writer: Writer,
    bindings: readonly Binding[],
    options: Noted & { readonly expectedRevision: number | undefined },
  ) => Promise<Published>
  /** Warnings of what was bound that only the registry as it is now can give. */
  readonly wildcardWarnings: (alias: Alias) => readonly string[]
  readonly warningsOfMany: (published: Published) => Promise<readonly string[]>
  readonly remove: (writer: Writer, key: AliasKey, options: Believed & Noted) => Promise<Published>
}

type Noted = { readonly note: string | undefined }
type ReadHeader = (name: string) => string | undefined

const BASE = '/api/v1/aliases'
const tag = 'Aliases'
const BINDING = { model: 'openai:gpt-4o-mini', metadata: { owner: 'search' } }
const ALIAS = { description: 'The alias.', schema: schema.AliasSchema }
const PRECONDITIONS =
  'Taken only if the alias is what `If-Match` says (the `ETag` of an alias), or if there is none (`If-None-Match: *`); 412 otherwise, with the alias as it is. `X-Change-Note` is kept with the change.'

export function mountAliases(app: App, guards: Guards, verbs: AliasVerbs): void {
  mountResolve(app, guards, verbs)
  mountList(app, guards, verbs)
  mountBulk(app, guards, verbs)
  mountBind(app, guards, verbs)
  mountOne(app, guards, verbs)
  mountDelete(app, guards, verbs)
}

function mountResolve(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/resolve`,
    tag,
    operationId: 'resolveAlias',
    summary: 'What an alias means now',
    description:
      'An unknown alias gives `model: null`, and so does an empty one (`?alias=`): it names none. A wildcard such as `openai:*` is answered as the model that it stands for: of the active chat models that satisfy `constraints` the one with the lowest price of input, then of output, then the first by name. It follows the registry without a new revision. What is bound by name is answered as it was bound, whatever `constraints` say. Without `alias=` this is the address of the alias that is named `resolve`.',
    access: READS,
    problems: ['not-found'],
    query: schema.ResolveQuery,
    emptyQuery: ['alias'],
    warm: verbs.warmResolve,
    responses: {
      200: { description: 'The model, and its fallbacks.', schema: schema.Resolved.or(schema.AliasSchema) },
    },
    handle: ({ principal, query, header }) => {
      const { alias, profile } = query
      const show = (key: AliasKey) => showOne(verbs, key, header)
      if (alias === undefined) return show({ projectId: principal.projectId, profile, alias: 'resolve' })
      const answer = verbs.resolve({ projectId: principal.projectId, profile, alias })
      const respond = ({ body, staleSeconds }: Resolution) =>
        plainBytes(body, verbs.markStale(JSON_HEADERS, staleSeconds))
      return answer instanceof Promise ? answer.then(respond) : respond(answer)
    },
  })
}

function mountBulk(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: `${BASE}/bulk_upsert`,
    tag,
    operationId: 'bulkUpsertAliases',
    summary: 'Bind many aliases, all or none',
    description:
      "One transaction, one revision. An item's own `profile` wins over the query's; of several items for one alias the last wins.",
    access: WRITES,
    problems: ['conflict', 'precondition-failed', 'project-full'],
    query: schema.BulkQuery,
    body: schema.BulkBody,
    bodyGzip: true,
    bodyItems: {
      schema: schema.Binding,
      itemsMax: ALIAS_LIMITS.itemsPerBulkMax,
      itemBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    },
    bodyExample: [{ alias: 'summarizer', ...BINDING }],
    responses: { 200: { description: 'How many items were sent.', schema: schema.Updated } },
    handle: async ({ principal, query, body, header }) => {
      const items = body ?? []
      const bindings = items.map((item) => ({ ...item, profile: item.profile ?? query.profile }))
      const options = { note: readNote(header), expectedRevision: query.expected_revision }
      const published = await verbs.setMany(principal, bindings, options)
      const warnings = await verbs.warningsOfMany(published)
      const updated = { updated: items.length, revision: published.revision }
      return jsonResponse(warnings.length === 0 ? updated : { ...updated, warnings }, 200, digestHeader(published))
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
    description: `Creates it or replaces what it meant. \`models\` is an ordered list whose first is \`model\`; without it, a \`model\` that is first already keeps its fallbacks, constraints and metadata. ${PRECONDITIONS}`,
    access: WRITES,
    problems: ['conflict', 'precondition-failed', 'project-full'],
    body: schema.Binding,
    bodyBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    bodyExample: { alias: 'summarizer', ...BINDING },
    responses: { 200: ALIAS },
    handle: ({ principal, body, header }) =>
      setOne(verbs, principal, { ...body, profile: body.profile ?? schema.DEFAULT_PROFILE }, header),
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
    warm: verbs.warmAlias,
    responses: { 200: ALIAS, 304: NOT_MODIFIED },
    handle: ({ principal, params, query, header }) =>
      showOne(verbs, { projectId: principal.projectId, ...query, ...params }, header),
  })
  mount(app, guards, {
    method: 'put',
    path: `${BASE}/{alias}`,
    tag,
    operationId: 'putAlias',
    summary: 'Set what an alias means',
    description: PRECONDITIONS,
    access: WRITES,
    problems: ['conflict', 'precondition-failed', 'project-full'],
    params: schema.AliasPath,
    query: schema.ProfileQuery,
    body: schema.PutBinding,
    bodyBytesMax: ALIAS_LIMITS.bindingBodyBytesMax,
    bodyExample: BINDING,
    responses: { 200: ALIAS },
    handle: ({ principal, params, query, body, header }) =>
      setOne(verbs, principal, { ...params, ...body, profile: body.profile ?? query.profile }, header),
  })
}

function mountDelete(app: App, guards: Guards, verbs: AliasVerbs): void {
  mount(app, guards, {
    method: 'delete',
    path: `${BASE}/{alias}`,
    tag,
    operationId: 'deleteAlias',
    summary: 'Delete an alias',
    description: PRECONDITIONS,
    access: WRITES,
    problems: ['precondition-failed'],
    params: schema.AliasPath,
    query: schema.ProfileQuery,
    responses: { 200: { description: 'Whether it was there.', schema: schema.Deleted } },
    handle: async ({ principal, params, query, header }) => {
      const key = { projectId: principal.projectId, profile: query.profile, alias: params.alias }
      const published = await verbs.remove(principal, key, believedBy(header))
      const { changed, revision } = published
      return jsonResponse({ deleted: changed, revision }, 200, digestHeader(published))
    },
  })
}

async function setOne(verbs: AliasVerbs, writer: Writer, binding: Binding, header: ReadHeader): Promise<Response> {
  const { alias, published } = await verbs.set(writer, binding, believedBy(header))
  return jsonResponse(renderAlias(alias, verbs.wildcardWarnings(alias)), 200, {
    ...digestHeader(published),
    ETag: aliasEtag(published.epoch, alias.revision),
  })
}

/** Names the lockfile of the revision that holds: `GET /api/v1/lockfile/{digest}` shows it for ever. */
function digestHeader({ lockDigest }: Published): Record<string, string> {
  return lockDigest === undefined ? {} : { 'X-Lock-Digest': lockDigest }
}

function believedBy(header: ReadHeader): Believed & Noted {
  return { ifMatch: header('if-match'), ifNoneMatch: header('if-none-match'), note: readNote(header) }
}

async function showOne(verbs: AliasVerbs, key: AliasKey, header: ReadHeader): Promise<WarmResponse> {
  return aliasResponse(await verbs.show(key), header('if-none-match'), verbs.markStale)
}
