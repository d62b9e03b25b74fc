import { setTimeout as pause } from 'node:timers/promises'
import type { ProjectId } from '../../access/principal.js'
import { estimateRequestTokens } from '../../core/chat/index.js'
import type { ModelIndex } from '../../core/pricing/index.js'
import type { Fleet } from '../../core/routing/index.js'
import type { Sql } from '../../db/client.js'
import type { App, Guards } from '../../http/endpoint.js'
import { type Clock, monotonicClock, systemClock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Redis } from '../../platform/redis.js'
import type { Feature } from '../contract.js'
import type { CallSlot } from './account/account.js'
import { type CertifiedProjects, createCertifiedProjects } from './account/certified-projects.js'
import { type CertifyDeps, createCertify } from './account/certify-call.js'
import { keepWork } from './account/keep-work.js'
import { type TellSpan, tracedRoom } from './account/trace-calls.js'
import { type AnswerDeps, answerRequest, type Choosing } from './answer-request.js'
import { openCache } from './cache/open-cache.js'
import type { ChatRequest, Served } from './call.js'
import type { GatewayConfig } from './config/read-config.js'
import { openJudge } from './judge/open-judge.js'
import { GATEWAY_LIMITS } from './limits.js'
import { findModel, listModels } from './list-models.js'
import { mountModels } from './model-routes.js'
import { reportBackends } from './report-backends.js'
import { mountChat, mountCountTokens, mountMessages } from './routes.js'
import { mountRouting } from './routing-routes.js'
import { askHook, type Hook } from './serve/ask-hook.js'
import type { ChooseDeps } from './serve/choose-candidates.js'
import { traitsOf } from './serve/model-traits.js'
import { openFleet } from './serve/open-fleet.js'
import type { ServeDeps } from './serve/serve-call.js'
import { createUpstreams } from './serve/upstream.js'
import { mountSettings, type SettingsVerbs } from './settings-routes.js'
import { createSharedBreakers } from './share-breakers.js'
import { type StatsDeps, showStats } from './show-stats.js'
import { createCertifiesStore, createThresholdStore } from './store.js'
import { serveWorkflow, type WorkflowDeps } from './workflows/serve-workflow.js'
import { mountWorkflows } from './workflows/workflow-routes.js'

export type GatewayDeps = CertifyDeps & {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly config: GatewayConfig
  /** What an alias is bound to, primary first; null if it is not bound. In memory on the warm path. */
  readonly resolveBound: (
    projectId: ProjectId,
    profile: string,
    alias: string,
  ) => readonly string[] | null | Promise<readonly string[] | null>
  /** Room for the row of a call. Throws `overloaded`. */
  readonly keepCallRoom: (sender: { readonly projectId: ProjectId; readonly keyId: string | null }) => CallSlot
  /** What calls cost since then, and what they saved. */
  readonly sumCalls: StatsDeps['sumCalls']
  /** The operator's own choice among candidates. */
  readonly hook?: Hook | undefined
  /** The aliases of a profile, by their names. */
  readonly listBound: (projectId: ProjectId, profile: string) => Promise<readonly string[]>
  readonly canIssue: boolean
  readonly newReceiptId: () => string
  readonly sql: Sql
  readonly clock: Clock
  /** What is reported as the model of requests that name none. */
  readonly defaultModel?: string | undefined
  /** Told of every call, if traces are wanted. */
  readonly tell?: TellSpan | undefined
  /** For what instances share. */
  readonly redis?: Redis | undefined
  /** The models of a provider as the registry knows them now, in memory. */
  readonly facts: (provider: string) => ModelIndex | undefined
  /** From 0 to 1; tests choose it. */
  readonly random?: () => number
}

/** Routes calls of models to the configured providers, and accounts for each. */
export function createGateway(deps: GatewayDeps) {
  const { config, logger, metrics } = deps
  const upstreams = createUpstreams()
  const rows = keepWork(logger, metrics)
  const inFlight = { count: 0 }
  const { fleet, hints } = openSharedFleet(deps)
  const serving: ServeDeps = { ...servingOf(deps), fleet, upstreams, inFlight, keep: rows.keep }
  const cached = openCache(deps, serving)
  const judge = openJudge(config, createThresholdStore(deps.sql))
  const choosing = { ...openChoosing(deps, fleet), judge: judge.judge }
  const certified = createCertifiedProjects(createCertifiesStore(deps.sql), monotonicClock)
  const answering: AnswerDeps = {
    ...{ serving, choosing, cached, certifies: certified.read, resolveBound: deps.resolveBound },
    ...{ canIssue: deps.canIssue, newReceiptId: deps.newReceiptId, defaultModel: deps.defaultModel },
  }
  const workflows: WorkflowDeps = {
    ...{ clock: serving.clock, attemptsMax: serving.attemptsMax, workflowMsMax: serving.callMsMax },
    chat: (call, wish) => answerRequest(answering, call, wish),
  }
  metrics.gauge('llmring_gateway_calls_in_flight', 'Calls of models that are under way.', () => inFlight.count)
  return {
    name: 'gateway',
    mount: (app, guards) => {
      mountCalls(app, guards, deps, { chat: (request) => answerRequest(answering, request), choosing })
      mountSettings(app, guards, settingsVerbs(deps.canIssue, certified))
      mountWorkflows(app, guards, {
        run: (caller, workflow) => serveWorkflow(workflows, caller, workflow),
        callMsMax: serving.callMsMax,
      })
      mountRouting(app, guards, {
        backends: () => reportBackends(fleet, serving.clock()),
        feedback: judge.feedback,
        stats: (projectId) => showStats({ clock: systemClock, sumCalls: deps.sumCalls }, projectId),
      })
    },
    erase: async (projectId, rowsMax) => {
      certified.forget(projectId)
      return (await cached?.erase(projectId, rowsMax)) || judge.forget(projectId)
    },
    start: () => void hints?.start(),
    /** Waits for calls whose callers left, as long as they may be read on, and for the rows of those that are over. */
    close: async () => {
      await hints?.stop()
      await settled(inFlight, serving.drainMsMax + GATEWAY_LIMITS.closeMsMax)
      await rows.idle()
      await upstreams.close()
    },
  } satisfies Feature
}

/** A project that could not get its receipts is told so at once. */
const settingsVerbs = (canIssue: boolean, certified: CertifiedProjects): SettingsVerbs => ({
  certifies: async (projectId) => certified.read(projectId),
  setCertifies: async (projectId, certifies) => {
    if (certifies && !canIssue) throw new AppError('receipts-not-configured', 'No private key is configured here.')
    await certified.set(projectId, certifies)
  },
})

/** The backends' state, of which instances with a Redis tell one another. */
function openSharedFleet({ config: { providers }, redis, logger }: GatewayDeps) {
  const shared = redis === undefined ? undefined : createSharedBreakers(redis, providers, logger)
  const fleet = openFleet(providers, shared?.tell)
  return { fleet, hints: shared?.hear((name, openMs) => fleet.hear(name, openMs, monotonicClock())) }
}

async function settled(inFlight: { readonly count: number }, msMax: number): Promise<void> {
  const until = monotonicClock() + msMax
  while (inFlight.count > 0 && monotonicClock() < until) await pause(GATEWAY_LIMITS.closePauseMs)
}

/** How candidates are put in order: by the policy, and then by the hook where there is one. */
function openChoosing({ config, hook, logger }: GatewayDeps, fleet: Fleet): Omit<Choosing, 'judge'> {
  const onFault = (error: unknown) => logger.warn({ error: describeError(error) }, 'the hook of the gateway failed')
  return {
    ...{ fleet, clock: monotonicClock, policy: config.policy },
    backends: config.providers.flatMap((provider) => provider.backends),
    order: (ranked, { requestedModel, profile, isStream: stream, body }, alias) => {
      if (hook === undefined || ranked.length < 2) return ranked
      return askHook({ hook, onFault }, ranked, { model: requestedModel ?? null, alias, profile, stream, body })
    },
  }
}

type Settings = Omit<ServeDeps, 'fleet' | 'upstreams' | 'inFlight' | 'keep'>

/** What the configuration says of every call. */
function servingOf(deps: GatewayDeps): Settings {
  const { config, logger } = deps
  const uncertified = 'the receipt of a call could not be issued'
  return {
    ...{ clock: monotonicClock, nowMs: deps.clock, random: deps.random ?? Math.random },
    providers: new Map(config.providers.map((provider) => [provider.name, provider])),
    traitsOf: (provider, model) => traitsOf(provider, model, deps.facts),
    drainMsMax: config.server.drain_seconds * 1_000,
    callMsMax: config.server.timeout_seconds * 1_000,
    attemptsMax: config.server.attempts_max,
    isDurable: config.accounting === 'durable',
    keepRoom: deps.tell === undefined ? deps.keepCallRoom : tracedRoom(deps.keepCallRoom, deps.tell, deps.clock),
    certify: createCertify(deps),
    onUncertified: (error) => logger.error({ error: describeError(error) }, uncertified),
  }
}

type Calls = { readonly chat: (request: ChatRequest) => Promise<Served>; readonly choosing: ChooseDeps }

/** The routes that client libraries call. */
function mountCalls(app: App, guards: Guards, deps: GatewayDeps, { chat: serve, choosing }: Calls): void {
  const { body_bytes_max: bodyBytesMax, timeout_seconds: seconds } = deps.config.server
  const verbs = { chat: serve, countTokens: estimateRequestTokens, bodyBytesMax, callMsMax: seconds * 1_000 }
  mountChat(app, guards, verbs)
  mountMessages(app, guards, verbs)
  mountCountTokens(app, guards, verbs)
  const { backends } = choosing
  mountModels(app, guards, {
    list: async (projectId, profile) => listModels(await deps.listBound(projectId, profile), backends),
    find: async (projectId, profile, id) =>
      findModel(id, (await deps.resolveBound(projectId, profile, id)) !== null, backends),
  })
}
