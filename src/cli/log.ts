import { Command } from 'commander'
import { openResources, type Resources } from '../compose/database.js'
import { findLogSettings, type LogSettings } from '../compose/log-settings.js'
import { type Acceptance, acceptHead, readAcceptance } from '../features/transparency/accept-head.js'
import { createGuard } from '../features/transparency/guard/create-guard.js'
import { createLogSigner } from '../features/transparency/log-key.js'
import { systemClock } from '../platform/clock.js'
import { NotConfigured } from './not-configured.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

const NOTES = `
For after a backup was restored or a replica took over that lacked the newest entries. Receipts that were issued after it
may be with their owners, and checkpoints with auditors: they prove that the log went back, and accepting does not change
that. Restore a newer copy if there is one. Accepting is written into the log as a signed statement.
Each instance with a guard file of its own has to accept. The service may run meanwhile, and goes on within a second.`

export function logCommand(): Command {
  const log = new Command('log').description('Decide what only the operator of the log can decide.')
  log
    .command('accept-head')
    .description('Accept the database as the log although it lacks, or contradicts, what was signed before.')
    .option('--yes', 'accept it; without this the command only says what would be accepted')
    .option('--json', 'print JSON')
    .addHelpText('after', NOTES)
    .action((options: Options) => run((signal) => accept(options, signal)))
  return log
}

type Options = { readonly yes?: boolean; readonly json?: boolean }

async function accept(options: Options, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const settings = await findLogSettings(config)
  if (settings === undefined) throw new NotConfigured('There is no log: no key is configured for one.')
  if (settings.guard.kind !== 'file') {
    throw new Error(
      `The guard is '${settings.guard.kind}', which remembers nothing here. A witness that has seen a larger tree never cosigns a smaller one: go on with LLMRING_TLOG_GUARD=file:… or none, and other witnesses.`,
    )
  }
  const resources = await openResources(config, commandLogger(config), 'borrow', signal)
  try {
    const acceptance = await decide(resources, settings, settings.guard.path, options.yes === true)
    process.stdout.write(options.json === true ? `${asJson(acceptance, options)}\n` : inWords(acceptance, options))
    if (acceptance.reason !== null && options.yes !== true) process.exitCode = 1
  } finally {
    await resources.lifecycle.close()
  }
}

function decide({ transact }: Resources, settings: LogSettings, path: string, yes: boolean): Promise<Acceptance> {
  const signer = createLogSigner(settings.origin, settings.seed)
  const guard = createGuard({ kind: 'file', path }, signer.key)
  return yes ? acceptHead({ transact, clock: systemClock, signer, guard, path }) : readAcceptance({ transact, guard })
}

const shown = ({ size, root }: Acceptance['head']) => ({ size, root: Buffer.from(root).toString('base64') })

function asJson({ remembered, head, reason }: Acceptance, { yes }: Options): string {
  const accepted = reason !== null && yes === true
  return JSON.stringify({ accepted, reason, head: shown(head), remembered: remembered && shown(remembered) })
}

function inWords({ remembered, head, reason }: Acceptance, { yes }: Options): string {
  const here = `the database has ${head.size} entries (root ${shown(head).root})`
  if (reason === null) return `Nothing to accept: ${here}, and the guard agrees.\n`
  const there =
    remembered === null ? 'its file cannot be read' : `it remembers ${remembered.size} (root ${shown(remembered).root})`
  if (yes === true) return `Accepted: ${here}. The log says so from now on.\n`
  return `The guard refuses (${reason}): ${there}, and ${here}.\nTo accept the database as the log: llmring-server log accept-head --yes\n`
}
