import { Command } from 'commander'
import { promoteProfile } from '../../client/lockfile/published.js'
import { prepareConfig, run } from '../prepare.js'
import { JSON_OUTPUT } from './place.js'
import { type ChangeCommandOptions, changeOf, onChange, printApplied, serverOf } from './server.js'

export function promoteCommand(): Command {
  const command = new Command('promote')
    .description('Make a profile on the server mean what another one does, removals included.')
    .argument('<from>', 'the profile that was tested')
    .argument('<to>', 'the profile that becomes the same')
    .option('--alias <name...>', 'only these aliases')
    .option(...JSON_OUTPUT)
  return onChange(command).action((from: string, to: string, options: ChangeCommandOptions & { alias?: string[] }) =>
    run(async () => {
      const api = serverOf(prepareConfig())
      printApplied(await promoteProfile(api, { from, to, aliases: options.alias, ...changeOf(options) }), options.json)
    }),
  )
}
