import { type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { type Page, pageResponse } from '../../http/list-page.js'
import type { Warm } from '../../http/listen/warm-lane.js'
import { JSON_HEADERS, plainBytes } from '../../http/response.js'
import type { Listing } from './alias-listing.js'
import type { ListInput } from './list-aliases.js'
import { listResponse } from './listing-responses.js'
import * as schema from './schema.js'
import type { Known } from './snapshots.js'
import type { MarkStale } from './stale-headers.js'

export type ListVerbs = {
  readonly list: (projectId: ProjectId, input: ListInput) => Promise<string | AsyncGenerator<string>>
  readonly page: (projectId: ProjectId, input: ListInput & { readonly limit: number }) => Promise<Page>
  readonly listing: (projectId: ProjectId, profile: string | undefined) => Known<Listing> | Promise<Known<Listing>>
  readonly warmList: Warm
  readonly markStale: MarkStale
}

const PATH = '/api/v1/aliases/'
export const NOT_MODIFIED = { description: 'The client has it already (`If-None-Match`).' }

export function mountList(app: App, guards: Guards, verbs: ListVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: PATH,
    tag: 'Aliases',
    operationId: 'listAliases',
    summary: 'List aliases, by name',
    description:
      'All of them, streamed; or a page, with the next one named by the header `Link` (RFC 8288). The `ETag` of a profile’s list changes with that profile alone.',
    access: READS,
    turns: 'read',
    query: schema.ListQuery,
    warm: verbs.warmList,
    responses: {
      200: { description: 'Of one profile, or of all.', schema: schema.AliasList },
      304: NOT_MODIFIED,
    },
    handle: async ({ principal: { projectId }, query: { profile, after, limit }, header }) => {
      const input = { profile, after }
      if (limit !== undefined) {
        return pageResponse(await verbs.page(projectId, { ...input, limit }), PATH, { profile, limit })
      }
      const listing = after === undefined ? await verbs.listing(projectId, profile) : undefined
      const kept = listing && listResponse(listing, header('if-none-match'), verbs.markStale)
      if (kept !== undefined) return kept
      const headers = listing === undefined ? JSON_HEADERS : { ...JSON_HEADERS, ETag: listing.content.etag }
      const list = await verbs.list(projectId, input)
      return typeof list === 'string' ? plainBytes(list, headers) : { chunks: list, headers }
    },
  })
}
