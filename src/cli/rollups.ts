import { Command } from 'commander'
import { openResources } from '../compose/database.js'
import { openRollups } from '../features/usage/feature.js'
import { checkRollups } from '../features/usage/rollups/check-rollups.js'
import { abortable } from '../platform/abortable.js'
import { commandLogger, prepareConfig, run } from './prepare.js'
import { print } from './with-projects.js'

const NOTES = `
Both look at one day of one project at a time and work while the service runs. Months whose events were dropped by age are
left as they are.`

export function rollupsCommand(): Command {
  const rollups = new Command('rollups').description('Compare the sums that stats read with the recorded events.')
  rollups
    .command('check')
    .description('Print the days whose sums differ; exit code 1 if there are any.')
    .addHelpText('after', NOTES)
    .action(() => run((signal) => settleAll('compare', signal)))
  rollups
    .command('rebuild')
    .description('Add to the sums what they lack, and take away what they have too much.')
    .addHelpText('after', NOTES)
    .action(() => run((signal) => settleAll('repair', signal)))
  return rollups
}

async function settleAll(verb: 'compare' | 'repair', signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const { database, lifecycle } = await openResources(config, commandLogger(config), 'borrow', signal)
  try {
    const store = openRollups(database.sql)
    await abortable(printDays(checkRollups({ ...store, settle: store[verb] }), verb), signal)
  } finally {
    await lifecycle.close()
  }
}

async function printDays(days: ReturnType<typeof checkRollups>, verb: 'compare' | 'repair'): Promise<void> {
  const said = verb === 'compare' ? 'differ' : 'repaired'
  let count = 0
  for await (const { projectId, day, ofRows, ofGrains, ofLatencies } of days) {
    count += 1
    print(
      `project ${projectId}  ${day}  ${said}: ${ofRows} sums of events, ${ofGrains} of hours and days, ${ofLatencies} counts of latencies`,
    )
  }
  if (count === 0) print('The sums are those of the events.')
  else if (verb === 'compare') process.exitCode = 1
}
