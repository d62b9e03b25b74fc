import { Command } from 'commander'
import { connectDatabase, migrateDatabase } from '../compose/database.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring the database to the newest version (the service does this at its start, too).')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => run((signal) => migrate(options, signal)))
}

async function migrate(options: { json?: boolean }, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const connected = await connectDatabase(config, commandLogger(config), 'borrow', signal)
  try {
    const { applied, version } = await migrateDatabase(connected, signal)
    const text =
      applied.length === 0
        ? `Nothing to do: the database is at version ${version}.`
        : `Applied ${applied.join(', ')}: version ${version}.`
    process.stdout.write(`${options.json === true ? JSON.stringify({ applied, version }) : text}\n`)
  } finally {
    await connected.lifecycle.close()
  }
}
