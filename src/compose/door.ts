import type { Config } from '../config/config.js'
import { HTTP_LIMITS } from '../http/limits.js'
import { createListener, type ListenerOptions } from '../http/listen/listener.js'
import type { ServerLimits, ServiceListener } from '../http/listen/server.js'
import type { Logger } from '../platform/logger.js'
import type { Service } from './service.js'

/** What the listener of a service is made of. */
export function listenerOptions(config: Config, service: Service, logger: Logger): ListenerOptions {
  return {
    fetch: service.app.fetch,
    lane: service.lane,
    direct: service.direct,
    logger,
    metrics: service.metrics,
    corsOrigins: config.listen.corsOrigins,
    trustedProxies: config.listen.trustedProxies,
    accessShare: config.logging.accessShare,
    slowMs: config.logging.slowMs,
    draining: service.draining,
  }
}

export function createServiceListener(config: Config, service: Service, logger: Logger): ServiceListener {
  const listener = createListener(listenerOptions(config, service, logger))
  service.metrics.gauge('llmring_requests_in_flight', 'Requests that are being served.', listener.inFlight)
  return Object.assign(listener, { heedUnread: service.turns.heed })
}

/**
 * What the settings say of connections. Those of a proxy of ours are not its clients': it has to count them itself. Each
 * watcher has a connection of its own, beside all others.
 */
export function serverLimits({ listen }: Config): Partial<ServerLimits> {
  const counted = listen.trustedProxies === 0 && listen.connectionsPerAddressMax > 0
  const connectionsMax = HTTP_LIMITS.connectionsMax + listen.watchersMax
  return {
    connectionsMax,
    connectionsPerAddressMax: counted ? listen.connectionsPerAddressMax : Number.POSITIVE_INFINITY,
  }
}
