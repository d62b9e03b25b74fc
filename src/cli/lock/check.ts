import { Command } from 'commander'
import { type DriftReport, findDrift, listProfiles } from '../../client/lockfile/published.js'
import { prepareConfig, run } from '../prepare.js'
import { JSON_OUTPUT, print, printJson, warn } from './place.js'
import { type ServerCommandOptions, serverOf } from './server.js'

const NOTES = `
Compares the registry's versions that were pinned when the aliases were published with its current ones: models that are
gone or not offered any more, prices and limits that changed. \`llmring-server lock bump-registry\` and a push pin anew.`

export function checkCommand(): Command {
  return new Command('check')
    .description('Check whether published models have changed since they were pinned. Exits with 1 if one has.')
    .option('--profile <name>', 'only this profile')
    .option(...JSON_OUTPUT)
    .addHelpText('after', NOTES)
    .action((options: ServerCommandOptions) => run(() => check(options)))
}

async function check(options: ServerCommandOptions): Promise<void> {
  const api = serverOf(prepareConfig())
  const profiles = options.profile === undefined ? await listProfiles(api) : [options.profile]
  const reports: DriftReport[] = []
  for (const profile of profiles) reports.push(await findDrift(api, profile))
  const drifted = reports.some((report) => report.drifted)
  if (options.json === true) printJson({ drifted, profiles: reports })
  else {
    for (const { profile, warnings } of reports) for (const message of warnings) warn(`${profile}: ${message}`)
    for (const line of reports.flatMap(showDrift)) print(line)
    if (!drifted) print('No model has drifted.')
  }
  if (drifted) process.exitCode = 1
}

function showDrift({ profile, drift }: DriftReport): string[] {
  return drift.map(({ model, kind, changes, aliases, alias_count: count }) => {
    const numbers = changes.map(({ field, pinned, current }) => `${field} ${pinned ?? '?'} → ${current ?? '?'}`)
    const more = count > aliases.length ? ` and ${count - aliases.length} more` : ''
    const what = numbers.length === 0 ? '' : `: ${numbers.join(', ')}`
    return `${profile}: ${model} ${kind.replaceAll('_', ' ')}${what} (${aliases.join(', ')}${more})`
  })
}
