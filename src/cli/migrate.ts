import { Command } from 'commander'
import { connectDatabase, distributeDatabase, migrateDatabase } from '../compose/database.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

type MigrateOptions = { citus?: boolean; json?: boolean }

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring the database to the newest version (the service does this at its start, too).')
    .option('--citus', 'then distribute the tables over a Citus cluster, by project')
    .option('--json', 'print JSON')
    .action((options: MigrateOptions) => run((signal) => migrate(options, signal)))
}

async function migrate(options: MigrateOptions, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const connected = await connectDatabase(config, commandLogger(config), 'borrow', signal)
  try {
    const { applied, version } = await migrateDatabase(connected, signal)
    const distributed = options.citus === true ? await distributeDatabase(connected, signal) : undefined
    if (options.json === true) return print(JSON.stringify({ applied, version, distributed }))
    if (applied.length === 0) print(`Nothing to do: the database is at version ${version}.`)
    else print(`Applied ${applied.join(', ')}: version ${version}.`)
    if (distributed?.length === 0) print('Nothing to distribute: every table lies where it should.')
    else if (distributed !== undefined) print(`Distributed ${distributed.join(', ')}.`)
  } finally {
    await connected.lifecycle.close()
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
