import { type RouteConfig, z } from '@hono/zod-openapi'
import type { ProblemCode } from '../../platform/problem-catalogue.js'
import { JSON_ONLY, mediaTypeOf } from '../body/body-kinds.js'
import type { DeclaredResponse, Endpoint } from '../declaration.js'
import { HTTP_LIMITS } from '../limits.js'
import { JSON_TYPE } from '../response.js'
import { describeProblems } from './describe-problems.js'

/**
 * The route for the OpenAPI document: its own responses, and every problem that follows from its declaration. Its body
 * may have `bodyBytesMax` bytes.
 */
export function describeEndpoint<P, Q, B>(endpoint: Endpoint<P, Q, B>, bodyBytesMax: number): RouteConfig {
  const request = {
    ...(endpoint.params === undefined ? {} : { params: endpoint.params as never }),
    ...(endpoint.query === undefined ? {} : { query: endpoint.query as never }),
    ...(endpoint.body === undefined ? {} : { body: describeBody(endpoint, endpoint.body, bodyBytesMax) }),
  }
  return {
    method: endpoint.method,
    path: endpoint.path,
    tags: [endpoint.tag],
    operationId: endpoint.operationId,
    summary: endpoint.summary,
    ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
    ...security(endpoint.access.kind),
    ...(endpoint.body === undefined ? {} : { 'x-body-bytes-max': bodyBytesMax }),
    ...(endpoint.turns === undefined ? {} : { 'x-turns': endpoint.turns }),
    request,
    responses: combine(describeResponses(endpoint.responses), describeProblems(problemsOf(endpoint))),
  }
}

function describeBody<P, Q, B>(endpoint: Endpoint<P, Q, B>, schema: z.ZodType, bytesMax: number) {
  const { bodyExample: example, bodyItems, bodyKinds = JSON_ONLY, bodyGzip = false } = endpoint
  const { jsonValuesMax, jsonNamesMax, jsonListValuesMax } = HTTP_LIMITS
  const each = `${jsonValuesMax} values and ${jsonNamesMax} members' names`
  const held =
    bodyItems === undefined
      ? each
      : `${jsonListValuesMax} values, each item at most ${bodyItems.itemBytesMax} bytes, ${each}`
  const gzip = bodyGzip ? ' It may come with `Content-Encoding: gzip`; the limits count what it unfolds to.' : ''
  const shown = bodyKinds.map((kind, index) => {
    const shape = kind === 'json' ? schema : kind === 'ndjson' ? (bodyItems?.schema ?? schema) : z.string()
    return [mediaTypeOf(kind), { schema: shape, ...(index > 0 || example === undefined ? {} : { example }) }]
  })
  return {
    description: `At most ${bytesMax} bytes, with at most ${held}.${gzip}`,
    required: !schema.safeParse(undefined).success,
    content: Object.fromEntries(shown),
  }
}

function security(kind: 'public' | 'operator' | 'project') {
  if (kind === 'public') return { security: [] }
  return { security: kind === 'operator' ? [{ AdminKey: [] }] : [{ ProjectKey: [] }, { ApiKey: [] }, { Bearer: [] }] }
}

/** A response without a schema and without a media type has no body. */
function describeResponses(responses: Readonly<Record<number, DeclaredResponse>>) {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, schema, contentType, example }]) => {
      const media = { ...(schema === undefined ? {} : { schema }), ...(example === undefined ? {} : { example }) }
      const types = [contentType ?? (schema === undefined ? [] : JSON_TYPE)].flat()
      const content = Object.fromEntries(types.map((type) => [type, media]))
      return [status, types.length === 0 ? { description } : { description, content }]
    }),
  )
}

/** The codes that a route can answer with. */
export function problemsOf<P, Q, B>(endpoint: Endpoint<P, Q, B>): ProblemCode[] {
  const { access, body, params, query } = endpoint
  const found: ProblemCode[] = [
    ...(endpoint.problems ?? []),
    'too-many-requests',
    'internal-error',
    'overloaded',
    'timed-out',
  ]
  if (access.kind !== 'public')
    found.push('key-required', 'key-unknown', 'malformed-key', 'conflicting-keys', 'database-unavailable')
  if (access.kind === 'project') found.push('role-not-allowed')
  if (access.kind === 'operator') found.push('not-found')
  if (body !== undefined) found.push('malformed-json', 'request-timeout', 'body-too-large', 'unsupported-media-type')
  if (body !== undefined || params !== undefined || query !== undefined) {
    found.push('malformed-request', 'validation-failed')
  }
  return [...new Set(found)].sort()
}

type Described = Readonly<Record<string, { readonly description: string; readonly content?: ContentByType }>>
type ContentByType = Readonly<Record<string, object>>

/** Both; a status that has a response and a problem has the content of the two. */
function combine(responses: Described, problems: Described): Described {
  const both = { ...responses, ...problems }
  for (const [status, problem] of Object.entries(problems)) {
    const response = responses[status]
    if (response === undefined) continue
    const description = `${response.description} Or ${problem.description}`
    both[status] = { description, content: { ...response.content, ...problem.content } }
  }
  return both
}
