import { Command } from 'commander'
import { onLockfile, openPlace, type PlaceOptions, print, printJson } from './lock/place.js'
import { prepareConfig, run } from './prepare.js'

export function unbindCommand(): Command {
  const command = new Command('unbind')
    .description('Take an alias out of a lockfile.')
    .argument('<alias>', 'the name that programs used')
  return onLockfile(command).action((alias: string, options: PlaceOptions) =>
    run(async () => {
      const { client, path } = openPlace(prepareConfig(), options)
      const unbound = await client.unbindAlias(alias)
      if (options.json === true) printJson({ alias, unbound })
      if (!unbound) throw new Error(`There is no alias '${alias}' in that profile of ${path}.`)
      if (options.json !== true) print(`${alias} is unbound.`)
    }),
  )
}
