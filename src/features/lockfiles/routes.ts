import { type ProjectId, READS, WRITES } from '../../access/principal.js'
import { type LockfileFormat, renderLockfile } from '../../core/lockfile/index.js'
import { kindOf } from '../../http/body/body-kinds.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { matchesEtag } from '../../http/etag.js'
import type { WarmResponse } from '../../http/listen/warm-lane.js'
import { JSON_TYPE, plainBytes, plainPieces } from '../../http/response.js'
import type { Current } from './get-lockfile.js'
import type { Shown } from './kept-lockfile.js'
import { LOCKFILES_LIMITS } from './limits.js'
import { preferredFormat, TOML_TYPE } from './preferred-format.js'
import type { Put, PutInput } from './put-lockfile.js'
import { renderPut } from './render.js'
import * as schema from './schema.js'

type ReadHeader = (name: string) => string | undefined
export type LockfileVerbs = {
  readonly put: (input: PutInput) => Promise<Put>
  readonly current: (
    projectId: ProjectId,
    profile: string | undefined,
    isKnown: (digest: string) => boolean,
  ) => Promise<Current>
  readonly ofDigest: (projectId: ProjectId, digest: string) => Promise<Shown>
  /** What the caller says of its change. */
  readonly readNote: (header: ReadHeader) => string | undefined
  /** The headers of a response, `staleSeconds` old where the database is away. */
  readonly markStale: (headers: Headers, staleSeconds: number | undefined) => Headers
}
type Headers = Readonly<Record<string, string>>

const PATH = '/api/v1/lockfile'
const tag = 'Lockfiles'
const KINDS = ['json', 'toml'] as const
const TYPES = [TOML_TYPE, JSON_TYPE]
const EXAMPLE = {
  profiles: {
    default: {
      name: 'default',
      bindings: [{ alias: 'summarizer', models: ['openai:gpt-4o-mini'], constraints: { max_cost: 1.5 } }],
      registry_versions: { openai: 7 },
    },
  },
}

export function mountLockfiles(app: App, guards: Guards, verbs: LockfileVerbs): void {
  mountPut(app, guards, verbs)
  mountGet(app, guards, verbs)
  mountDigest(app, guards, verbs)
}

function mountPut(app: App, guards: Guards, verbs: LockfileVerbs): void {
  mount(app, guards, {
    method: 'put',
    path: PATH,
    tag,
    operationId: 'putLockfile',
    summary: 'Publish a lockfile, all or nothing',
    description:
      'As one revision: what the file binds, its order, and what it holds beside that. What it does not bind is unbound: a file that names no profiles is refused, unless it says so with an empty table (`[profiles]`, or `{"profiles": {}}`). Metadata of aliases is no part of a lockfile and stays. `X-Lock-Digest` is the digest of the lockfile that holds then; `X-Change-Note` is kept with the change.',
    access: WRITES,
    turns: 'change',
    problems: ['conflict', 'precondition-failed', 'project-full'],
    query: schema.PutQuery,
    body: schema.LockfileBody,
    bodyKinds: KINDS,
    bodyGzip: true,
    bodyBytesMax: LOCKFILES_LIMITS.bodyBytesMax,
    bodyExample: EXAMPLE,
    responses: { 200: { description: 'What changed, and the file to keep.', schema: schema.Put } },
    handle: async ({ principal, query, text, header }) => {
      const dryRun = query.dry_run === 'true'
      const put = await verbs.put({
        ...{ writer: principal, text, format: kindOf(header('content-type'), KINDS) === 'toml' ? 'toml' : 'json' },
        ...{ profile: query.profile, expectedRevision: query.expected_revision, note: verbs.readNote(header), dryRun },
      })
      const headers = { 'Content-Type': JSON_TYPE, 'X-Lock-Digest': put.digest, ETag: etagOf(put.digest, 'toml') }
      return plainPieces(renderPut(put, dryRun), headers)
    },
  })
}

function mountGet(app: App, guards: Guards, verbs: LockfileVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: PATH,
    tag,
    operationId: 'getLockfile',
    summary: 'The lockfile that holds now',
    description: 'As TOML, or as JSON if `Accept` prefers that. The `ETag` is its digest.',
    access: READS,
    turns: 'read',
    problems: ['not-found'],
    query: schema.GetQuery,
    responses: {
      200: { description: 'The lockfile.', schema: schema.Shown, contentType: TYPES },
      304: { description: 'It is the one that `If-None-Match` names.' },
    },
    handle: async ({ principal, query, header }) => {
      const format = preferredFormat(header('accept'))
      const isKnown = (digest: string) => matchesEtag(header('if-none-match'), etagOf(digest, format))
      const { shown, staleSeconds } = await verbs.current(principal.projectId, query.profile, isKnown)
      const mark = (headers: Headers) => verbs.markStale(headers, staleSeconds)
      if ('knownDigest' in shown) return notModified(shown.knownDigest, format, mark)
      return isKnown(shown.digest) ? notModified(shown.digest, format, mark) : show(shown, format, mark)
    },
  })
}

function mountDigest(app: App, guards: Guards, verbs: LockfileVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${PATH}/{digest}`,
    tag,
    operationId: 'getLockfileByDigest',
    summary: 'The lockfile that a receipt names',
    description: 'Any lockfile that ever held, by its digest: by the rule of today or by one that clients had before.',
    access: READS,
    turns: 'read',
    problems: ['not-found'],
    params: schema.DigestPath,
    responses: { 200: { description: 'The lockfile.', schema: schema.Shown, contentType: TYPES } },
    handle: async ({ principal, params, header }) =>
      show(await verbs.ofDigest(principal.projectId, params.digest), preferredFormat(header('accept'))),
  })
}

type Mark = (headers: Headers) => Headers

function show({ lockfile, digest }: Shown, format: LockfileFormat, mark: Mark = asTheyAre): WarmResponse {
  const type = format === 'toml' ? TOML_TYPE : JSON_TYPE
  const headers = mark({ 'Content-Type': type, ...headersOf(digest, format) })
  return plainBytes(renderLockfile(lockfile, format), headers)
}

function notModified(digest: string, format: LockfileFormat, mark: Mark): Response {
  return new Response(null, { status: 304, headers: mark(headersOf(digest, format)) })
}

const asTheyAre: Mark = (headers) => headers

/** Its `Vary` takes the place of that of every response, which names `Origin`. */
const headersOf = (digest: string, format: LockfileFormat) => ({
  ...{ ETag: etagOf(digest, format), 'X-Lock-Digest': digest, Vary: 'Accept, Origin' },
})

/** Of two formats there are two tags: a strong one promises the same bytes. */
const etagOf = (digest: string, format: LockfileFormat): string =>
  format === 'toml' ? `"${digest}"` : `"${digest}-json"`
