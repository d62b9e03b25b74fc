import { Command } from 'commander'
import { onLockfile, openPlace, type PlaceOptions, print, printJson, warn } from './lock/place.js'
import { showAlias, showWhole } from './lock/show.js'
import { prepareConfig, run } from './prepare.js'

export function aliasesCommand(): Command {
  const command = new Command('aliases')
    .description('List the aliases of a lockfile.')
    .option('--verbose', 'every fallback and constraint')
  return onLockfile(command).action((options: PlaceOptions & { verbose?: boolean }) =>
    run(async () => {
      const { client, path } = openPlace(prepareConfig(), options)
      const aliases = await client.listAliases()
      if (options.json === true) return printJson({ file: path, aliases })
      if (aliases.length === 0) return warn(`that profile of ${path} has no aliases.`)
      print(aliases.map(options.verbose === true ? showWhole : showAlias).join('\n'))
    }),
  )
}
