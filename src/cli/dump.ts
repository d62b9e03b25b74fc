import type { Writable } from 'node:stream'
import { Command } from 'commander'
import { connectDatabase } from '../compose/database.js'
import type { Config } from '../config/config.js'
import { writeDump } from '../db/dump/dump.js'
import type { Summary } from '../db/dump/progress.js'
import { readVersion } from '../platform/version.js'
import { commandLogger, prepareConfig, run } from './prepare.js'
import { progressOnStandardError, renderSummary } from './progress.js'
import { writeWholeFile } from './write-whole-file.js'

type Options = { readonly force?: boolean; readonly progress?: boolean; readonly json?: boolean }

const NOTES = `
This is the way to copy an installation: a copied data directory may come without its database. The dump shows the
database at one moment and holds all of its data: keep it where only you can read it. It is gzipped text:
\`gunzip -c FILE | less\` shows it, and its last line proves that it is whole. The service may run meanwhile.
\`llmring-server restore\` reads it, on any version of PostgreSQL.
The key that receipts are signed with (the file receipts-key in the data directory, or your own setting) and the key
pepper are not part of it: keep receipts-key safe separately, or later receipts are signed with another key.`

export function dumpCommand(): Command {
  return new Command('dump')
    .description('Write everything in the database to a file.')
    .argument('[file]', 'the file to write; without it, standard output')
    .option('--force', 'replace the file if it exists')
    .option('--progress', 'show progress on standard error even where that is no terminal')
    .option('--json', 'print a summary as JSON (on standard error if the dump goes to standard output)')
    .addHelpText('after', NOTES)
    .action((file: string | undefined, options: Options) => run((signal) => dump(file, options, signal)))
}

async function dump(file: string | undefined, options: Options, signal: AbortSignal): Promise<void> {
  const toStdout = file === undefined || file === '-'
  if (toStdout && process.stdout.isTTY) {
    throw new Error('A dump is not for terminals: name a file, or redirect standard output.')
  }
  // Read before the file is made: a wrong configuration ends the process at once.
  const config = prepareConfig()
  const summary = await (toStdout
    ? dumpTo(config, process.stdout, options, signal)
    : writeWholeFile(file, options.force === true, (output) => dumpTo(config, output, options, signal)))
  const text = options.json === true ? JSON.stringify(summary) : `Dumped ${renderSummary(summary)}.`
  const answer = toStdout ? process.stderr : process.stdout
  answer.write(`${text}\n`)
}

async function dumpTo(config: Config, output: Writable, options: Options, signal: AbortSignal): Promise<Summary> {
  const connected = await connectDatabase(config, commandLogger(config), 'borrow', signal)
  try {
    const about = { direct: connected.direct, serviceVersion: readVersion(), signal }
    return await writeDump({ ...about, ...progressOnStandardError(options) }, output)
  } finally {
    await connected.lifecycle.close()
  }
}
