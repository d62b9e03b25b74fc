import { Command } from 'commander'
import { rollBack } from '../../client/lockfile/published.js'
import { prepareConfig, run } from '../prepare.js'
import { JSON_OUTPUT } from './place.js'
import { type ChangeCommandOptions, changeOf, onChange, printApplied, readRevision, serverOf } from './server.js'

export function rollbackCommand(): Command {
  const command = new Command()
    .command('rollback <revision>')
    .description(
      'Bind everything on the server as it was at a revision: a new revision, nothing is erased. 0 is nothing bound.',
    )
    .option('--profile <name>', 'only this profile')
    .option(...JSON_OUTPUT)
  return onChange(command).action((revision: string, options: ChangeCommandOptions) =>
    run(async () => {
      const api = serverOf(prepareConfig())
      const { profile } = options
      const toRevision = readRevision(revision)
      printApplied(await rollBack(api, { toRevision, profile, ...changeOf(options) }), options.json)
    }),
  )
}
