import { type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import type { FoundDrift } from './find-drift.js'
import { DriftQuery, DriftReport } from './schema.js'

export type DriftVerbs = { readonly find: (projectId: ProjectId, profile: string) => Promise<FoundDrift> }

export function mountDrift(app: App, guards: Guards, verbs: DriftVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/drift',
    tag: 'Aliases',
    operationId: 'getDrift',
    summary: 'What the registry changed about the models of a profile',
    description:
      "Compares every bound model between the registry's version that the lockfile pins and the current one: what is gone, not offered any more, priced or limited differently. Without a pin of its provider only what is gone or inactive shows. 503 where the registry cannot say.",
    access: READS,
    turns: 'read',
    problems: ['registry-unavailable'],
    query: DriftQuery,
    responses: { 200: { description: 'The drift, and what could not be compared.', schema: DriftReport } },
    handle: async ({ principal, query: { profile } }) =>
      jsonResponse(renderDrift(profile, await verbs.find(principal.projectId, profile))),
  })
}

function renderDrift(profile: string, { revision, versions, drift, warnings }: FoundDrift) {
  return {
    profile,
    revision,
    drifted: drift.length > 0,
    registry: Object.fromEntries(versions),
    drift: drift.map(({ reference, constraints, kind, resolved, changes, aliases, aliasCount }) => ({
      model: reference,
      constraints: constraints === null ? null : (JSON.parse(constraints) as unknown),
      kind,
      resolved,
      changes,
      aliases,
      alias_count: aliasCount,
    })),
    warnings,
  }
}
