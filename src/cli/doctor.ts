import { Command } from 'commander'
import { type Connected, connectDatabase } from '../compose/database.js'
import type { Config } from '../config/config.js'
import { type ClientOptions, createClient, type Sql } from '../db/client.js'
import { inspectDataDirectory } from '../db/inspect.js'
import { abortable } from '../platform/abortable.js'
import { type Clock, systemClock } from '../platform/clock.js'
import { createLogger } from '../platform/logger.js'
import { type Report, renderReport, runChecks } from './doctor/check.js'
import { databaseChecks, type Patient } from './doctor/database.js'
import { diskCheck } from './doctor/disk.js'
import { hideSecrets } from './doctor/hide-secrets.js'
import { keysCheck } from './doctor/keys.js'
import { nodeCheck } from './doctor/node.js'
import { redisCheck } from './doctor/redis.js'
import { registryCheck } from './doctor/registry.js'
import { CLI_LIMITS } from './limits.js'
import { prepareConfig, run } from './prepare.js'

const NOTES = `
Exits with 1 if a check fails; warnings are no failure. Changes nothing: pending migrations are reported, not applied.
An embedded PostgreSQL that no service runs is started for the duration, and made if the data directory has none yet.`

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check everything that the service needs: database, Redis, registry, clock, keys, disk, Node.')
    .option('--json', 'print JSON')
    .option('--offline', 'skip what needs the network beyond the database and Redis: the registry')
    .addHelpText('after', NOTES)
    .action((options: { json?: boolean; offline?: boolean }) =>
      run(async (signal) => {
        const report = await diagnose(prepareConfig(), systemClock, { ...options, signal })
        process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : renderReport(report))
        if (!report.ok) process.exitCode = 1
      }),
    )
}

/** Runs every check. An embedded database may take its own time to start; after that, no check takes over 5 s. */
export async function diagnose(
  config: Config,
  clock: Clock = systemClock,
  { signal, offline }: { readonly signal?: AbortSignal; readonly offline?: boolean } = {},
): Promise<Report> {
  const silent = createLogger('silent')
  const connecting = connectDatabase(config, silent, 'borrow', signal)
  const examined = connecting.then(examine)
  const patient = () => examined
  const clusterDir = () => examined.then(({ direct }) => inspectDataDirectory(direct))
  const { schema, connectionsMax } = config.database
  const checks = [
    ...databaseChecks({ patient, schema, connectionsMax, clock }),
    redisCheck(config.redis.url?.reveal(), silent),
    ...(offline === true ? [] : [registryCheck(config.registry, silent)]),
    keysCheck(config),
    diskCheck({ dataDir: config.embedded ? config.dataDir : undefined, clusterDir }),
    nodeCheck(),
  ]
  // The time that a start takes counts for no check.
  await examined.catch(() => undefined)
  try {
    return await abortable(runChecks(checks, CLI_LIMITS.checkMsMax, hideSecrets(config)), signal)
  } finally {
    await connecting.then(
      ({ lifecycle }) => lifecycle.close(),
      () => undefined,
    )
  }
}

function examine({ direct, pooled, location, lifecycle }: Connected): Patient {
  const open = (options: Omit<ClientOptions, 'connectionsMax'>): Sql =>
    createClient({ ...options, connectionsMax: 1, applicationName: 'llmring-server doctor' })
  const clients = { pooled: open(pooled), direct: open(direct) }
  for (const [name, client] of Object.entries(clients)) lifecycle.onClose(name, () => client.end({ timeout: 0 }))
  return {
    ...clients,
    directOptions: { ...direct, applicationName: 'llmring-server doctor' },
    pooledUrl: pooled.url,
    behindPooler: pooled.pooled,
    location,
  }
}
