import type { Feature } from '../features/contract.js'
import { type AppOptions, createApp } from '../http/create-app.js'
import { mountDocs } from '../http/describe/docs.js'
import type { App, Guards } from '../http/endpoint.js'
import { type HealthDeps, mountHealth } from '../http/health.js'
import { mountVerifyPage } from '../http/verify-page.js'

export type ServiceAppDeps = AppOptions & {
  readonly guards: Guards
  readonly health: HealthDeps
  readonly features: readonly Pick<Feature, 'mount'>[]
}

/** Every route of the service on one app; what it is for comes first in the document. */
export function createServiceApp(deps: ServiceAppDeps): App {
  const app = createApp(deps)
  for (const feature of deps.features) feature.mount(app, deps.guards)
  mountHealth(app, deps.guards, deps.health)
  mountVerifyPage(app, deps.guards)
  mountDocs(app, deps.guards)
  return app
}
