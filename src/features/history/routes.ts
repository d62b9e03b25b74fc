import { type ProjectId, READS, WRITES } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { type Page, pageResponse } from '../../http/list-page.js'
import type { WarmResponse } from '../../http/listen/warm-lane.js'
import { JSON_TYPE, plainJson, plainPieces } from '../../http/response.js'
import type { Changed } from './change.js'
import type { HistoryInput } from './list-history.js'
import type { PromoteInput } from './promote.js'
import { renderChanged } from './render.js'
import type { RollbackInput } from './rollback.js'
import * as schema from './schema.js'
import type { ProfileSummary } from './store.js'

export type HistoryVerbs = {
  readonly list: (projectId: ProjectId, input: HistoryInput) => Promise<Page>
  readonly profiles: (projectId: ProjectId) => Promise<readonly ProfileSummary[]>
  readonly rollback: (input: RollbackInput) => Promise<Changed>
  readonly promote: (input: PromoteInput) => Promise<Changed>
  /** What the caller says of its change. */
  readonly readNote: (header: (name: string) => string | undefined) => string | undefined
}

const tag = 'History'
const PATH = '/api/v1/history'

export function mountHistory(app: App, guards: Guards, verbs: HistoryVerbs): void {
  mountList(app, guards, verbs)
  mountProfiles(app, guards, verbs)
  mountRollback(app, guards, verbs)
  mountPromote(app, guards, verbs)
}

function mountList(app: App, guards: Guards, verbs: HistoryVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: PATH,
    tag,
    operationId: 'listHistory',
    summary: 'Who changed what, newest first',
    turns: 'read',
    description: 'A page; the next one is named by the header `Link` (RFC 8288). Deleted aliases stay in it.',
    access: READS,
    query: schema.HistoryQuery,
    responses: { 200: { description: 'One page.', schema: schema.History } },
    handle: async ({ principal, query }) => {
      const { profile, alias, action, revision, limit, after } = query
      const page = await verbs.list(principal.projectId, { profile, alias, action, revision, limit, after })
      return pageResponse(page, PATH, query)
    },
  })
}

function mountProfiles(app: App, guards: Guards, verbs: HistoryVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/profiles',
    tag,
    operationId: 'listProfiles',
    summary: 'The profiles in which something is bound, by name',
    turns: 'read',
    access: READS,
    responses: { 200: { description: 'All of them.', schema: schema.Profiles } },
    handle: async ({ principal }) => {
      const profiles = await verbs.profiles(principal.projectId)
      const shown = profiles.map(({ updatedAt, ...profile }) => ({ ...profile, updated_at: updatedAt.toISOString() }))
      return plainJson({ profiles: shown })
    },
  })
}

function mountRollback(app: App, guards: Guards, verbs: HistoryVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/api/v1/rollback',
    tag,
    operationId: 'rollbackAliases',
    summary: 'Bind everything as it was at a revision',
    description: 'A new revision: the history keeps what was between. `X-Change-Note` is kept with it.',
    access: WRITES,
    turns: 'change',
    problems: ['conflict', 'precondition-failed', 'project-full'],
    body: schema.RollbackBody,
    bodyExample: { to_revision: 0, dry_run: true },
    responses: { 200: { description: 'What changed.', schema: schema.Applied } },
    handle: async ({ principal, body, header }) => {
      const dryRun = body.dry_run === true
      const changed = await verbs.rollback({
        ...{ writer: principal, toRevision: body.to_revision, profile: body.profile ?? undefined },
        ...{ expectedRevision: body.expected_revision ?? undefined, note: verbs.readNote(header), dryRun },
      })
      return applied(changed, dryRun)
    },
  })
}

function mountPromote(app: App, guards: Guards, verbs: HistoryVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: '/api/v1/profiles/{from}/promote',
    tag,
    operationId: 'promoteProfile',
    summary: 'Make a profile mean what another one does',
    description:
      'The whole profile, removals included, or the named aliases only. One revision; what is the same already stays untouched.',
    access: WRITES,
    turns: 'change',
    problems: ['not-found', 'conflict', 'precondition-failed', 'project-full'],
    params: schema.PromotePath,
    body: schema.PromoteBody,
    bodyExample: { to: 'prod', aliases: ['summarizer'], dry_run: true },
    responses: { 200: { description: 'What changed.', schema: schema.Applied } },
    handle: async ({ principal, params, body, header }) => {
      const dryRun = body.dry_run === true
      const changed = await verbs.promote({
        ...{ writer: principal, from: params.from, to: body.to, aliases: body.aliases ?? undefined },
        ...{ expectedRevision: body.expected_revision ?? undefined, note: verbs.readNote(header), dryRun },
      })
      return applied(changed, dryRun)
    },
  })
}

function applied(changed: Changed, dryRun: boolean): WarmResponse {
  const { lockDigest } = changed
  const digest: Record<string, string> = lockDigest === undefined ? {} : { 'X-Lock-Digest': lockDigest }
  return plainPieces(renderChanged(changed, dryRun), { 'Content-Type': JSON_TYPE, ...digest })
}
