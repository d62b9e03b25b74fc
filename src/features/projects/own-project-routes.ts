import { ADMINISTERS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import { AppError } from '../../platform/errors.js'
import type { ProjectVerbs } from './routes.js'
import * as schema from './schema.js'

/** A project, for its own keys with the role admin. */
export function mountOwnProject(app: App, guards: Guards, verbs: Pick<ProjectVerbs, 'find' | 'erase'>): void {
  mount(app, guards, {
    method: 'delete',
    path: '/api/v1/project',
    tag: 'Keys',
    operationId: 'eraseOwnProject',
    summary: 'Erase your project and everything of it',
    description:
      'Its keys, this one too, are refused here at once, by every other instance within two seconds. What its receipts left in the log stays: hashes that tell nothing. Cannot be undone.',
    access: ADMINISTERS,
    problems: ['not-found'],
    query: schema.EraseQuery,
    responses: { 200: { description: 'How many rows went, by feature.', schema: schema.Erased } },
    handle: async ({ principal: { projectId }, query }) => {
      const project = await verbs.find(projectId)
      if (project === undefined) throw new AppError('not-found', 'There is no such project.')
      if (query.confirm !== project.id && query.confirm !== project.name) throw notConfirmed()
      return jsonResponse({ erased: true, rows: await verbs.erase(projectId) })
    },
  })
}

function notConfirmed(): AppError {
  const [pointer, message] = ['query/confirm', "must be the project's id or its name"]
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
