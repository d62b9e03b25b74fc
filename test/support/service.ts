import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listenerOptions, serverLimits } from '../../src/compose/door.js'
import { compose, type Service } from '../../src/compose/service.js'
import { readConfig } from '../../src/config/config.js'
import type { Sql } from '../../src/db/client.js'
import type { DirectWay } from '../../src/http/listen/direct-way.js'
import { createListener } from '../../src/http/listen/listener.js'
import { listen, type ServerLimits } from '../../src/http/listen/server.js'
import type { WarmLane } from '../../src/http/listen/warm-lane.js'
import { createLogger } from '../../src/platform/logger.js'
import { type Answer, type CallInit, call } from './call.js'
import { REDIS_MISSING, startRedis } from './redis-server.js'

export type RunningService = {
  readonly url: string
  readonly service: Service
  /** The service's own connections to its database. */
  readonly sql: Sql
  /** How many requests the warm lane has answered. */
  readonly laneAnswers: () => number
  /** How many requests were served the direct way. */
  readonly directAnswers: () => number
  /** fetch, relative to the service, with a key. */
  call(path: string, init?: CallInit): Promise<Answer>
  close(): Promise<void>
}

export const OPERATOR_KEY = 'operator-key-of-the-tests'

/** A request with this header set to `ordinary` passes by the warm lane and the direct way. */
export const WAY_HEADER = 'x-test-way'

type Instance = {
  laneAnswers(): number
  directAnswers(): number
  readonly service: Service
  readonly listener: RequestListener
  readonly limits: Partial<ServerLimits>
  close(): Promise<void>
}

/**
 * The complete service in this process, behind its real listener on a loopback port. Several instances, on one database
 * and one Redis, take turns behind one address.
 */
export async function startService(environment: Record<string, string>, instances = 1): Promise<RunningService> {
  const redis = instances > 1 && REDIS_MISSING === null ? await startRedis() : undefined
  const settings = { ...(redis === undefined ? {} : { LLMRING_REDIS_URL: redis.url }), ...environment }
  const first = await startInstance(settings)
  const all = [first]
  while (all.length < instances) all.push(await startInstance(settings))
  const server = await listen(all.length === 1 ? first.listener : takeTurns(all), '127.0.0.1', 0, first.limits)
  return {
    url: server.url,
    service: first.service,
    sql: first.service.resources.database.sql,
    laneAnswers: () => all.reduce((sum, instance) => sum + instance.laneAnswers(), 0),
    directAnswers: () => all.reduce((sum, instance) => sum + instance.directAnswers(), 0),
    call: (path, init) => call(server.url, path, init),
    close: async () => {
      await server.drain(1_000)
      for (const instance of all) await instance.close()
      await redis?.close()
    },
  }
}

async function startInstance(environment: Record<string, string>): Promise<Instance> {
  const directory = await mkdtemp(join(tmpdir(), 'llmring-service-'))
  const read = readConfig(directory, {
    LLMRING_DATA_DIR: directory,
    LLMRING_HOST: '127.0.0.1',
    LLMRING_PORT: '0',
    LLMRING_ADMIN_KEY: OPERATOR_KEY,
    LLMRING_DATABASE_POOL_SIZE: '6',
    LLMRING_DATABASE_POOL_OVERFLOW: '2',
    LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/',
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
    LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 9).toString('base64url'),
    LLMRING_TLOG_GUARD: `file:${join(directory, 'tlog-guard')}`,
    LLMRING_NEW_PROJECTS_PER_MINUTE: '0',
    ...environment,
  })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  const logger = createLogger('silent')
  const service = await compose(read.config, logger)
  const options = { ...listenerOptions(read.config, service, logger), accessShare: 0, slowMs: 60_000 }
  let answered = 0
  const answer: WarmLane['answer'] = (incoming) => {
    const outcome = service.lane.answer(incoming)
    if (outcome !== undefined) answered += 1
    return outcome
  }
  let begun = 0
  const begin: DirectWay['begin'] = (incoming, note) => {
    const pending = service.direct.way.begin(incoming, note)
    if (pending !== undefined) begun += 1
    return pending
  }
  const direct = { ...service.direct, way: { ...service.direct.way, begin } }
  const ways = {
    ordinary: createListener({ ...options, lane: undefined, direct: undefined }),
    warm: createListener({ ...options, lane: { ...service.lane, answer }, direct }),
  }
  const listener: RequestListener = (incoming, outgoing) =>
    ways[incoming.headers[WAY_HEADER] === 'ordinary' ? 'ordinary' : 'warm'](incoming, outgoing)
  const close = async () => {
    await service.close()
    await rm(directory, { recursive: true, force: true })
  }
  return {
    service,
    listener,
    limits: serverLimits(read.config),
    close,
    laneAnswers: () => answered,
    directAnswers: () => begun,
  }
}

/**
 * Gives requests to the instances in turn. What one instance wrote, the others hear of within a second; a test does not
 * wait that long, so before an instance is asked after a write it has to have heard of everything that was committed.
 */
function takeTurns(instances: readonly Instance[]): RequestListener {
  const heard = instances.map(() => 0)
  let writes = 0
  let turn = 0
  return (incoming, outgoing) => {
    const index = turn++ % instances.length
    const instance = instances[index] as Instance
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
      writes += 1
      outgoing.once('finish', () => {
        writes += 1
      })
    }
    if (heard[index] === writes) return instance.listener(incoming, outgoing)
    heard[index] = writes
    const serve = () => instance.listener(incoming, outgoing)
    return instance.service.notifications.caughtUp().then(serve, serve)
  }
}
