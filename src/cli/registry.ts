import { Command } from 'commander'
import { openResources } from '../compose/database.js'
import { openImport } from '../features/registry/feature.js'
import { type ImportedProvider, readRegistryDirectory } from '../features/registry/import-registry.js'
import { abortable } from '../platform/abortable.js'
import { systemClock } from '../platform/clock.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

const NOTES = `
The folder is laid out like the public registry: manifest.json, <provider>/models.json and <provider>/v/<n>/models.json, of
one or more of anthropic, google and openai. A service with a network has these files, byte for byte: make the folders
and \`curl -o openai/models.json http://<service>/registry/openai/models.json\`, and so on. A folder with a wrong file, or older than what is known, changes nothing.
Running instances take it over within a minute while the registry's origin does not answer; once it does, it counts.`

export function registryCommand(): Command {
  const registry = new Command('registry').description('Load the model registry on a machine without a network.')
  registry
    .command('import')
    .description('Load a copy of the registry from a folder. Works while the service runs.')
    .argument('<dir>', 'the folder with the copy')
    .option('--json', 'print JSON')
    .addHelpText('after', NOTES)
    .action((dir: string, options: { json?: boolean }) => run((signal) => importFrom(dir, options, signal)))
  return registry
}

async function importFrom(dir: string, options: { json?: boolean }, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const directory = await readRegistryDirectory(dir)
  const resources = await openResources(config, commandLogger(config), 'borrow', signal)
  try {
    const { transact, database } = resources
    const importing = openImport(database.orm, { transact, bundled: config.registry.bundled, clock: systemClock })
    const imported = await abortable(importing(directory), signal)
    const text = options.json === true ? JSON.stringify({ imported }) : imported.map(describe).join('\n')
    process.stdout.write(`${text}\n`)
  } finally {
    await resources.lifecycle.close()
  }
}

function describe({ provider, version, before, models, archivedVersions }: ImportedProvider): string {
  const known = before === null ? 'none before' : before === version ? 'the same before' : `${before} before`
  return `Imported ${provider}@${version} (${known}): ${models} models, ${archivedVersions} archived versions.`
}
