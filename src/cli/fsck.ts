import { Command } from 'commander'
import { openResources } from '../compose/database.js'
import { findLogSettings } from '../compose/log-settings.js'
import { pageReceiptEntries } from '../features/receipts/feature.js'
import type { FsckReport } from '../features/transparency/check/fsck.js'
import { openFsck } from '../features/transparency/feature.js'
import { createLogSigner } from '../features/transparency/log-key.js'
import { abortable } from '../platform/abortable.js'
import { monotonicClock } from '../platform/clock.js'
import { CLI_LIMITS } from './limits.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

const NOTES = `
Makes the tree anew from its entries, in constant memory, and compares with it every tile, every kept checkpoint and the
head; then looks for every receipt in the log. Nothing is changed, and the service may run meanwhile.
Exit codes: 0 all is well, 1 something is not (or could not be read).`

export function fsckCommand(): Command {
  return new Command('fsck')
    .description('Check the whole log in the database, and that every receipt is in it.')
    .option('--json', 'print the report as JSON')
    .option('--progress', 'show progress on standard error even where that is no terminal')
    .addHelpText('after', NOTES)
    .action((options: Options) => run((signal) => check(options, signal)))
}

type Options = { readonly json?: boolean; readonly progress?: boolean }

async function check(options: Options, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const settings = await findLogSettings(config)
  const logKey = settings === undefined ? null : createLogSigner(settings.origin, settings.seed).key
  const { database, lifecycle } = await openResources(config, commandLogger(config), 'borrow', signal)
  try {
    const { sql } = database
    const work = openFsck(sql)({ logKey, pageEntries: pageReceiptEntries(sql), onProgress: progress(options) })
    const report = await abortable(work, signal)
    process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : renderReport(report, logKey !== null))
    if (!report.ok) process.exitCode = 1
  } finally {
    await lifecycle.close()
  }
}

function renderReport({ entries, tiles, checkpoints, receipts, findings, faults, ok }: FsckReport, hasKey: boolean) {
  const lines = findings.map(({ kind, detail }) => `${kind}: ${detail}`)
  if (faults > findings.length) lines.push(`… and ${faults - findings.length} more`)
  const unverified = hasKey ? '' : ' No key of the log is configured here: signatures were not verified.'
  const sum = `${entries} entries, ${tiles} tiles, ${checkpoints} checkpoints, ${receipts} receipts`
  lines.push(`${ok ? 'All is well' : `${faults} faults`}: ${sum}.${unverified}`)
  return `${lines.join('\n')}\n`
}

/** A line on standard error now and then, where that is a terminal or where it is asked for. */
function progress(options: Options): (at: { readonly entries: number; readonly receipts: number }) => void {
  if (process.stderr.isTTY !== true && options.progress !== true) return () => undefined
  let shownAt = monotonicClock()
  return ({ entries, receipts }) => {
    if (monotonicClock() - shownAt < CLI_LIMITS.lineProgressMs) return
    shownAt = monotonicClock()
    process.stderr.write(`${entries} entries, ${receipts} receipts …\n`)
  }
}
