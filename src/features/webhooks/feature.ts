import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Transact, Tx } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { createIds } from '../../platform/ids.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { readVersion } from '../../platform/version.js'
import type { Feature } from '../contract.js'
import { countDeliveries } from './count-deliveries.js'
import { type DeliverDeps, deliver } from './deliver.js'
import { enqueueDelivery, enqueueEvent, type Published, type WebhookEvent } from './enqueue-delivery.js'
import { createExpected } from './expected-projects.js'
import { exportWaiting, exportWebhook } from './export-webhook.js'
import { type PutInput, putWebhook } from './put-webhook.js'
import { createResolveHost, type LookUp } from './resolve-host.js'
import { mountWebhooks } from './routes.js'
import { createVault } from './seal-secret.js'
import { createSend } from './send-delivery.js'
import { createSender, type SenderDeps } from './sender.js'
import { createSendingStore } from './sending-store.js'
import { createWebhookStore } from './store.js'

export type WebhooksDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly config: {
    /** Whether private addresses may be sent to, and by plain HTTP. */
    readonly privateAllowed: boolean
    /** What the keys are derived from that encrypt the secrets, the one in use first. */
    readonly serviceSecrets: readonly string[]
  }
  /** How names are looked up; tests choose the addresses. */
  readonly lookUp?: LookUp
}

export function createWebhooks(deps: WebhooksDeps) {
  const { clock, transact, logger, config } = deps
  const { privateAllowed } = config
  const store = createWebhookStore(deps)
  const vault = createVault(config.serviceSecrets)
  const resolveHost = createResolveHost(privateAllowed, deps.lookUp)
  const counts = countDeliveries(deps.metrics, logger)
  const expected = createExpected()
  const sender = openSender(deps, { vault, send: createSend(resolveHost), onSettled: counts.settled })
  const newId = createIds()
  const enqueueing = {
    ...{ store, newId: () => `msg_${newId(clock())}` },
    onEnqueued: (projectId: ProjectId, dropped: number) => {
      expected.add(projectId)
      counts.overflowed(projectId, dropped)
    },
  }
  return {
    name: 'webhooks',
    mount: (app, guards) =>
      mountWebhooks(app, guards, {
        put: async (input: PutInput) => {
          const result = await putWebhook({ transact, store, vault, resolveHost, privateAllowed }, input)
          sender.wake()
          return result
        },
        find: store.find,
        remove: (projectId) => transact((tx) => store.remove(tx, projectId)),
      }),
    start: sender.start,
    close: sender.stop,
    erase: (projectId, rowsMax) => transact((tx) => store.eraseChunk(tx, projectId, rowsMax)),
    export: {
      webhook: (projectId) => exportWebhook(store, projectId),
      webhook_delivery: (projectId, after, rowsMax) => exportWaiting(store, projectId, after, rowsMax),
    },
    /** The instance that wrote a change sends it at once; should it not, another one finds it within a second. */
    onMessage: {
      'aliases-changed': ({ projectId }) => {
        if (expected.take(projectId as ProjectId)) sender.wake()
      },
    },
    /** Tells the project's receiver of a revision, in the transaction that writes it. */
    enqueue: (tx: Tx, published: Published) => enqueueDelivery(enqueueing, tx, published),
    /** The same of any other event. */
    enqueueEvent: (tx: Tx, event: WebhookEvent) => enqueueEvent(enqueueing, tx, event),
  } satisfies Feature & Record<string, unknown>
}

type Sending = Pick<DeliverDeps, 'vault' | 'send'> & Pick<SenderDeps, 'onSettled'>

function openSender({ transact, logger, sql, clock, metrics }: WebhooksDeps, { vault, send, onSettled }: Sending) {
  const delivering = { vault, send, clock, userAgent: `llmring-server/${readVersion()}`, random: Math.random }
  const sender = createSender({
    ...{ transact, logger, store: createSendingStore(sql), onSettled },
    deliver: (claim, signal) => deliver(delivering, claim, signal),
  })
  metrics.gauge('llmring_webhook_attempts_under_way', 'Deliveries that are being sent.', sender.underWay)
  return sender
}
