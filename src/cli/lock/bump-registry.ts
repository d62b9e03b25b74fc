import { Command } from 'commander'
import { type BumpedPin, bumpRegistry } from '../../client/lockfile/bump-registry.js'
import { registryVersions } from '../../client/lockfile/published.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { prepareConfig, run } from '../prepare.js'
import { openPlace, print, printJson, warn } from './place.js'
import { onServer, type ServerCommandOptions, serverOf } from './server.js'

export function bumpRegistryCommand(): Command {
  const command = new Command('bump-registry').description(
    "Pin the registry's current versions in the lockfile, as the server has them, for the providers that are bound.",
  )
  return onServer(command).action((options: ServerCommandOptions) => run(() => bump(options)))
}

async function bump(options: ServerCommandOptions): Promise<void> {
  const config = prepareConfig()
  const api = serverOf(config)
  const { path } = openPlace(config, options)
  const pins = await bumpRegistry(lockfileFile(path), await registryVersions(api), options.profile, () => new Date())
  if (options.json === true) return printJson({ file: path, pins })
  for (const pin of pins) (pin.status === 'unknown' || pin.status === 'older' ? warn : print)(sentence(pin, api.where))
  if (pins.length === 0) print(`${path} binds nothing there.`)
}

function sentence({ profile, provider, before, after, status }: BumpedPin, where: string): string {
  const name = `${profile}: ${provider}`
  if (status === 'unknown') return `${name} is not in the registry of ${where}.`
  if (status === 'older') return `${name} stays at ${before}: ${where} has ${after}, which is older.`
  return status === 'same' ? `${name} is at ${after}.` : `${name} ${before ?? 'without a pin'} → ${after}`
}
