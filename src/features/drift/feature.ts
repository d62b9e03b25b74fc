import type { Feature } from '../contract.js'
import { type FindDriftDeps, findDrift } from './find-drift.js'
import { mountDrift } from './routes.js'

/** Compares what is bound with what the registry became. It holds nothing of its own. */
export function createDrift(deps: FindDriftDeps) {
  return {
    name: 'drift',
    mount: (app, guards) =>
      mountDrift(app, guards, { find: (projectId, profile) => findDrift(deps, projectId, profile) }),
  } satisfies Feature
}
