import { setMaxListeners } from 'node:events'
import type { Config } from '../config/config.js'
import { classifyFailure, isOutcomeUnknown } from '../db/failure.js'
import type { Notifications } from '../db/notifications.js'
import type { Feature } from '../features/contract.js'
import type { ProjectsFeature } from '../features/projects/feature.js'
import type { ReceiptsFeature } from '../features/receipts/feature.js'
import type { RegistryFeature } from '../features/registry/feature.js'
import type { TransparencyFeature } from '../features/transparency/feature.js'
import { createProblemOf } from '../http/create-app.js'
import type { App } from '../http/endpoint.js'
import { createGuards, type ServiceGuards } from '../http/guards.js'
import type { ListenerOptions } from '../http/listen/listener.js'
import type { WarmLane } from '../http/listen/warm-lane.js'
import { abortable } from '../platform/abortable.js'
import { AppError } from '../platform/errors.js'
import type { Logger } from '../platform/logger.js'
import type { Metrics } from '../platform/metrics.js'
import { createServiceApp } from './app.js'
import { openResources, type Resources } from './database.js'
import { composeFeatures } from './features.js'
import { openGround } from './ground.js'
import { SERVICE_LIMITS } from './limits.js'
import { createRateLimits } from './rate-limits.js'

export type Service = {
  readonly app: App
  readonly metrics: Metrics
  readonly lane: WarmLane
  readonly direct: NonNullable<ListenerOptions['direct']>
  readonly turns: ServiceGuards['reads']
  readonly resources: Resources
  readonly features: readonly Feature[]
  readonly projects: ProjectsFeature
  readonly receipts: ReceiptsFeature
  readonly registry: RegistryFeature
  readonly transparency: TransparencyFeature
  readonly notifications: Notifications
  /** From here on `/readyz` says no, so that balancers send no more, and streams without end come to one. */
  startDraining(): void
  readonly draining: AbortSignal
  close(): Promise<void>
}

/**
 * Opens what the service needs, in order, and builds the app on it. What was opened is closed in reverse by `close`, or
 * here if it fails. Throws `Aborted` if the signal is given meanwhile.
 */
export async function compose(config: Config, logger: Logger, signal?: AbortSignal): Promise<Service> {
  const resources = await openResources(config, logger, 'own', signal)
  try {
    return await abortable(composeOn(resources, config, logger), signal)
  } catch (error) {
    await resources.lifecycle.close()
    throw error
  }
}

async function composeOn(resources: Resources, config: Config, logger: Logger): Promise<Service> {
  const { lifecycle, database } = resources
  const ground = openGround(resources, config, logger)
  const { metrics, notifications } = ground
  const limits = createRateLimits(ground)
  const { list, projects, receipts, registry, transparency, passedBytesMax } = await composeFeatures(ground, limits)
  const guards = createGuards({
    ...{ ...limits, authenticate: projects.authenticate, recall: projects.recall, provision: projects.provision },
    ...{ adminKey: config.projects.adminKey?.reveal(), bodyBytesMax: config.listen.bodyBytesMax, passedBytesMax },
  })
  const heldBodies = 'Bytes of request bodies that arrive or are being handled.'
  metrics.gauge('llmring_held_body_bytes', heldBodies, guards.body.budget.held)
  const drain = new AbortController()
  // Every stream listens to it.
  setMaxListeners(0, drain.signal)
  const health = {
    metrics,
    databaseAnswers: () => database.answers(SERVICE_LIMITS.healthMsMax),
    isDraining: () => drain.signal.aborted,
    featuresReady: () => readiness(list),
    remarks: () => list.flatMap(({ name, remarks }) => remarks?.().map((remark) => `${name}: ${remark}`) ?? []),
  }
  const { admitUnmatched } = guards
  const app = createServiceApp({ logger, explain, admitUnmatched, guards, health, features: list })

  for (const feature of list) notifications.subscribe(feature)
  await notifications.start()
  for (const feature of list) {
    lifecycle.onClose(feature.name, () => feature.close?.())
    await feature.start?.()
  }
  return {
    ...{
      app,
      lane: guards.lane,
      turns: guards.reads,
      direct: { way: guards.direct, problemOf: createProblemOf({ logger, explain }) },
    },
    ...{ metrics, resources, features: list, projects, receipts, registry, transparency, notifications },
    ...{ startDraining: () => drain.abort(), draining: drain.signal, close: lifecycle.close },
  }
}

/** What each feature that has a say in it says, by its name. */
function readiness(features: readonly Feature[]): Record<string, boolean> {
  const said: Record<string, boolean> = {}
  for (const { name, ready } of features) if (ready !== undefined) said[name] = ready()
  return said
}

const SHUT_OUT = 'The database does not let this service in; its log says why.'

/** The trouble of a database as a problem. Its own words stay here. */
function explain(error: unknown): AppError | undefined {
  const kind = classifyFailure(error)
  const extras = { retryAfterSeconds: 1, cause: error }
  if (kind === 'unavailable') return new AppError('database-unavailable', unavailableDetail(error), extras)
  if (kind === 'shut-out') return new AppError('database-unavailable', SHUT_OUT, extras)
  if (kind === 'too-slow') return new AppError('timed-out', 'The database took too long.', extras)
  return undefined
}

function unavailableDetail(error: unknown): string {
  return isOutcomeUnknown(error)
    ? 'The connection to the database was lost; if the request was a write, it may or may not have happened.'
    : 'The database does not answer right now.'
}
