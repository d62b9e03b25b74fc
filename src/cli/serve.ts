import { Command } from 'commander'
import { createServiceListener, serverLimits } from '../compose/door.js'
import { compose, type Service } from '../compose/service.js'
import { type Config, isLoopback } from '../config/config.js'
import { type HttpServer, listen } from '../http/server.js'
import { createServiceLogger } from '../platform/logger.js'
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
      const { host, port } = config.listen
      const server = await listen(createServiceListener(config, service, logger), host, port, serverLimits(config))
      service.metrics.gauge('llmring_connections', 'Connections that are open.', server.connections)
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
