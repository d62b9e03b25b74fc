import { OPERATOR, type ProjectId, type Role } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse, NDJSON_TYPE } from '../../http/response.js'
import { AppError } from '../../platform/errors.js'
import type { CreateKeyInput } from './create-key.js'
import { PROJECT_LIMITS } from './limits.js'
import type { ProjectPage, ProjectPageInput } from './list-projects.js'
import { mountOwnKeys } from './own-key-routes.js'
import { mountOwnProject } from './own-project-routes.js'
import { renderKey, renderProject } from './render.js'
import * as schema from './schema.js'
import type { Project, ProjectKey } from './store.js'

export type ProjectVerbs = {
  readonly create: (name: string | null) => Promise<Project>
  readonly list: (input: ProjectPageInput) => Promise<ProjectPage>
  readonly find: (id: ProjectId) => Promise<Project | undefined>
  readonly erase: (id: ProjectId) => Promise<Record<string, number>>
  readonly exportLines: (id: ProjectId) => Promise<AsyncGenerator<string>>
  readonly createKey: (input: CreateKeyInput) => Promise<ProjectKey & { readonly key: string }>
  readonly listKeys: (id: ProjectId) => Promise<ProjectKey[]>
  readonly revokeKey: (id: ProjectId, keyId: string) => Promise<boolean>
}

const BASE = '/api/v1/admin/projects'
const shared = { tag: 'Administration', access: OPERATOR, problems: ['not-found'] } as const

/**
 * What a project does with its own keys and itself, and what the operator may do with the admin key; without one configured all of
 * the latter answers 404.
 */
export function mountProjects(app: App, guards: Guards, verbs: ProjectVerbs): void {
  mountOwnKeys(app, guards, verbs)
  mountOwnProject(app, guards, verbs)
  mountProjectRoutes(app, guards, verbs)
  mountWholeProject(app, guards, verbs)
  mountKeyRoutes(app, guards, verbs)
}

function mountProjectRoutes(app: App, guards: Guards, verbs: ProjectVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: BASE,
    operationId: 'createProject',
    summary: 'Create a project',
    body: schema.CreateProjectBody,
    bodyBytesMax: PROJECT_LIMITS.bodyBytesMax,
    bodyExample: { name: 'Billing' },
    responses: { 201: { description: 'The project, without keys.', schema: schema.ProjectSchema } },
    handle: async ({ body }) => jsonResponse(renderProject(await verbs.create(body.name ?? null)), 201),
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: BASE,
    operationId: 'listProjects',
    turns: 'read',
    summary: 'List projects, oldest first',
    query: schema.PageQuery,
    responses: { 200: { description: 'A page of projects.', schema: schema.ProjectPage } },
    handle: async ({ query }) => {
      const page = await verbs.list({ limit: query.limit, after: query.after })
      return jsonResponse({ projects: page.projects.map(renderProject), next: page.next })
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/{id}`,
    operationId: 'getProject',
    summary: 'Show a project',
    params: schema.ProjectPath,
    responses: { 200: { description: 'The project.', schema: schema.ProjectSchema } },
    handle: async ({ params }) => jsonResponse(renderProject(await existing(verbs, params.id as ProjectId))),
  })
}

function mountWholeProject(app: App, guards: Guards, verbs: ProjectVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'delete',
    path: `${BASE}/{id}`,
    operationId: 'eraseProject',
    summary: 'Erase a project and everything of it',
    description: 'Its keys are refused from then on. Cannot be undone.',
    params: schema.ProjectPath,
    responses: { 200: { description: 'How many rows went, by feature.', schema: schema.Erased } },
    handle: async ({ params }) => jsonResponse({ erased: true, rows: await verbs.erase(params.id as ProjectId) }),
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/{id}/export`,
    operationId: 'exportProject',
    turns: 'read',
    summary: 'Export everything of a project as NDJSON',
    description:
      'One object a line, `type` says what it is. The last line is `{"type":"end"}`; without it the export was cut.',
    params: schema.ProjectPath,
    responses: { 200: { description: 'The lines.', schema: schema.ExportedLines, contentType: NDJSON_TYPE } },
    handle: async ({ params }) => ({
      chunks: await verbs.exportLines(params.id as ProjectId),
      headers: { 'Content-Type': NDJSON_TYPE },
    }),
  })
}

function mountKeyRoutes(app: App, guards: Guards, verbs: ProjectVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: `${BASE}/{id}/keys`,
    operationId: 'createProjectKey',
    summary: 'Create a key',
    problems: ['not-found', 'conflict'],
    params: schema.ProjectPath,
    body: schema.CreateKeyBody,
    bodyBytesMax: PROJECT_LIMITS.bodyBytesMax,
    bodyExample: { name: 'ci', role: 'log' },
    responses: { 201: { description: 'The key; shown this once.', schema: schema.NewKeySchema } },
    handle: async ({ params, body }) => {
      const input = { projectId: params.id as ProjectId, name: body.name ?? null, role: body.role as Role }
      const made = await verbs.createKey(input)
      return jsonResponse({ ...renderKey(made), key: made.key }, 201)
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/{id}/keys`,
    operationId: 'listProjectKeys',
    turns: 'read',
    summary: "List a project's keys, revoked ones included",
    params: schema.ProjectPath,
    responses: { 200: { description: 'The keys, oldest first.', schema: schema.KeyList } },
    handle: async ({ params }) => {
      const project = await existing(verbs, params.id as ProjectId)
      return jsonResponse({ keys: (await verbs.listKeys(project.id)).map(renderKey) })
    },
  })
  mount(app, guards, {
    ...shared,
    method: 'delete',
    path: `${BASE}/{id}/keys/{key_id}`,
    operationId: 'revokeProjectKey',
    summary: 'Revoke a key',
    description: 'It is refused here at once, by every other instance within two seconds.',
    params: schema.KeyPath,
    responses: { 200: { description: 'Whether it was there to be revoked.', schema: schema.Revoked } },
    handle: async ({ params }) => {
      const project = await existing(verbs, params.id as ProjectId)
      return jsonResponse({ revoked: await verbs.revokeKey(project.id, params.key_id) })
    },
  })
}

async function existing(verbs: ProjectVerbs, id: ProjectId): Promise<Project> {
  const project = await verbs.find(id)
  if (project === undefined) throw new AppError('not-found', 'There is no such project.')
  return project
}
