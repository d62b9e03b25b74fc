import { Command } from 'commander'
import { createServiceListener, serverLimits } from '../compose/door.js'
import { compose, type Service } from '../compose/service.js'
import { type Config, isLoopback } from '../config/config.js'
import { checkAddress } from '../http/listen/free-address.js'
import { type HttpServer, listen } from '../http/listen/server.js'
import { Aborted } from '../platform/abortable.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { allocateYoung, boundHeapGrowth } from '../platform/heap-growth.js'
import { createServiceLogger } from '../platform/logger.js'
import { CLI_LIMITS } from './limits.js'
import { prepareConfig, runToItsEnd } from './prepare.js'
import { listenForStop } from './stop-signals.js'

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the service: migrate the database, then answer requests until SIGINT, SIGTERM or SIGHUP.')
    .option(
      '--config <file>',
      'the configuration of the gateway (default: LLMRING_ROUTER_CONFIG; without one it is off)',
    )
    .option('--addr <host:port>', 'where to listen (default: LLMRING_HOST and LLMRING_PORT)')
    .action((options: ServeOptions) => runToItsEnd(() => serve(options)))
}

type ServeOptions = { config?: string; addr?: string }

/** What the command line says of the settings: it wins over the environment. */
function withOptions(config: Config, options: ServeOptions): Config {
  const router = options.config === undefined ? config.router : { ...config.router, configFile: options.config }
  if (options.addr === undefined) return { ...config, router }
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(options.addr) ?? []
  if (host === '' || Number(port) > CLI_LIMITS.portMax) throw new ConfigurationError('--addr: must be HOST:PORT.')
  return { ...config, router, listen: { ...config.listen, host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) } }
}

async function serve(options: ServeOptions): Promise<void> {
  boundHeapGrowth()
  allocateYoung()
  const config = withOptions(prepareConfig(), options)
  const { logger, flush } = await createServiceLogger(config.logging.level, process.stdout.isTTY)
  const stop = listenForStop()
  try {
    const { host, port } = config.listen
    await checkAddress(host, port)
    const service = await compose(config, logger, stop.signal)
    try {
      // Its first reader would hold the event loop for 70 ms; no request waits for it here.
      await service.app.request('/openapi.json')
      const server = await listen(createServiceListener(config, service, logger), host, port, serverLimits(config))
      service.metrics.gauge('llmring_connections', 'Connections that are open.', server.connections)
      const unread = 'Bytes of responses that their readers have not taken.'
      service.metrics.gauge('llmring_unread_response_bytes', unread, server.unreadBytes)
      process.stderr.write(startUpLines(config, service, server))
      logger.info({ signal: await stop.asked }, 'draining')
      service.startDraining()
      await server.drain(config.listen.shutdownMsMax)
    } finally {
      await service.close()
      logger.info('stopped')
    }
  } catch (error) {
    if (!(error instanceof Aborted)) throw error
    logger.info({ signal: await stop.asked }, 'stopped before it had started')
    flush()
    // What was given up may still be waiting for something; all that has to be closed is closed.
    process.exit()
  } finally {
    flush()
    endSoon()
  }
}

/** All that has to be closed is closed: what still waits (a collector, an operator's hook) keeps the process no longer. */
function endSoon(): void {
  setTimeout(() => process.exit(), CLI_LIMITS.lingerMsMax).unref()
}

function startUpLines(config: Config, service: Service, server: HttpServer): string {
  const { mode } = config.projects
  const { canIssue, keyId } = service.receipts.keyState
  const reach = isLoopback(config.listen.host)
    ? 'only from this machine'
    : 'from other machines, too; LLMRING_HOST decides'
  return [
    `llmring-server answers at ${server.url} (${reach})`,
    `  docs      ${server.url}/docs`,
    `  data      ${service.resources.location}`,
    `  registry  ${service.registry.summary()}`,
    `  projects  ${mode} (${mode === 'open' ? 'an unknown key becomes a new project' : 'only keys made by `llmring-server keys create`'})`,
    `  receipts  ${canIssue ? `issued with key ${keyId}` : 'not issued: no private key is configured'}`,
    '',
  ].join('\n')
}
