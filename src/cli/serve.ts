import type { RequestListener } from 'node:http'
import { Command } from 'commander'
import { compose, type Service } from '../compose/service.js'
import { type Config, isLoopback } from '../config/config.js'
import { createListener } from '../http/listener.js'
import { type HttpServer, listen } from '../http/server.js'
import { createServiceLogger, type Logger } from '../platform/logger.js'
import { prepareConfig, run } from './prepare.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the service: migrate the database, then answer requests until SIGINT or SIGTERM.')
    .action(() => run(serve))
}

async function serve(): Promise<void> {
  const config = prepareConfig()
  const { logger, flush } = createServiceLogger(config.logging.level)
  const stopping = nextSignal()
  try {
    const service = await compose(config, logger)
    try {
      const server = await listen(listenerOf(config, service, logger), config.listen.host, config.listen.port)
      process.stderr.write(startUpLines(config, service, server))
      logger.info({ signal: await stopping }, 'draining')
      service.startDraining()
      await server.drain(config.listen.shutdownMsMax)
    } finally {
      await service.close()
      logger.info('stopped')
    }
  } finally {
    flush()
  }
}

function listenerOf(config: Config, service: Service, logger: Logger): RequestListener {
  const listener = createListener({
    fetch: service.app.fetch,
    lane: service.lane,
    logger,
    metrics: service.metrics,
    corsOrigins: config.listen.corsOrigins,
    trustedProxies: config.listen.trustedProxies,
    accessShare: config.logging.accessShare,
    slowMs: config.logging.slowMs,
  })
  service.metrics.gauge('llmring_requests_in_flight', 'Requests that are being served.', listener.inFlight)
  return listener
}

/** A terminal's Ctrl-C reaches the service twice when npm started it: what comes this soon is the same request. */
const SAME_REQUEST_MS = 1_000

/** The first signal asks for a clean stop; a later one does not wait for it. */
function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    let askedAt: number | undefined
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (askedAt !== undefined && performance.now() - askedAt > SAME_REQUEST_MS) process.exit(1)
        askedAt ??= performance.now()
        resolve(signal)
      })
    }
  })
}

function startUpLines(config: Config, service: Service, server: HttpServer): string {
  const { mode } = config.projects
  const { canIssue, keyId } = service.receipts.keyState
  const reach = isLoopback(config.listen.host) ? 'only from this machine' : 'from other machines, too'
  return [
    `llmring-server answers at ${server.url} (${reach})`,
    `  docs      ${server.url}/docs`,
    `  data      ${service.resources.location}`,
    `  projects  ${mode} (${mode === 'open' ? 'an unknown key becomes a new project' : 'only keys made by `llmring-server keys create`'})`,
    `  receipts  ${canIssue ? `issued with key ${keyId}` : 'not issued: no private key is configured'}`,
    '',
  ].join('\n')
}
