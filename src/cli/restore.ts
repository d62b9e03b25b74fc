import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Command } from 'commander'
import { connectDatabase } from '../compose/database.js'
import { type OpenDump, openDump } from '../db/dump/open-dump.js'
import type { Summary } from '../db/dump/progress.js'
import { restoreDump } from '../db/dump/restore.js'
import { type Migration, readMigrations } from '../db/migrate.js'
import { abortable } from '../platform/abortable.js'
import { commandLogger, prepareConfig, run } from './prepare.js'
import { progressOnStandardError, renderSummary } from './progress.js'

type Options = { readonly progress?: boolean; readonly json?: boolean }

const NOTES = `
The database must be empty; it is migrated where that is missing. Nothing is kept unless all of the dump arrives whole.
Stop the service first: in the data directory it is refused while one runs, elsewhere it is not noticed.
The key that receipts are signed with is not part of a dump: put receipts-key (or your setting) in place, too, so that
receipts go on being signed with the same key. The same goes for the key pepper: without it, no project key is known.`

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Read a dump into an empty database.')
    .argument('<file>', 'the file that `llmring-server dump` wrote; - for standard input')
    .option('--progress', 'show progress on standard error even where that is no terminal')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', NOTES)
    .action((file: string, options: Options) => run((signal) => restore(file, options, signal)))
}

async function restore(file: string, options: Options, signal: AbortSignal): Promise<void> {
  const migrations = await readMigrations()
  const input: Readable = file === '-' ? process.stdin : (await open(file, 'r')).createReadStream()
  const dump = await abortable(openDump(input, migrations), signal)
  const summary = await restoreFrom(dump, migrations, options, signal).finally(dump.close)
  process.stdout.write(`${options.json === true ? JSON.stringify(summary) : `Restored ${renderSummary(summary)}.`}\n`)
}

async function restoreFrom(
  dump: OpenDump,
  migrations: readonly Migration[],
  options: Options,
  signal: AbortSignal,
): Promise<Summary> {
  const config = prepareConfig()
  const connected = await connectDatabase(config, commandLogger(config), 'refill', signal)
  try {
    const restoring = restoreDump({ direct: connected.direct, migrations, ...progressOnStandardError(options) }, dump)
    // What is given up is rolled back by the server, which finds its client gone when the process ends.
    return await abortable(restoring, signal)
  } finally {
    await connected.lifecycle.close()
  }
}
