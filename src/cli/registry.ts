import { Command, InvalidArgumentError } from 'commander'
import { openResources } from '../compose/database.js'
import type { BackfilledProvider } from '../features/registry/backfill-registry.js'
import { backfillRegistry, openImport } from '../features/registry/feature.js'
import { type ImportedProvider, readRegistryDirectory } from '../features/registry/import-registry.js'
import { REGISTRY_LIMITS } from '../features/registry/limits.js'
import { abortable } from '../platform/abortable.js'
import { systemClock } from '../platform/clock.js'
import { commandLogger, prepareConfig, run } from './prepare.js'

const NOTES = `
The folder is laid out like the public registry: manifest.json, <provider>/models.json and <provider>/v/<n>/models.json, of
one or more of anthropic, google and openai. A service with a network has these files, byte for byte: make the folders
and \`curl -o openai/models.json http://<service>/registry/openai/models.json\`, and so on. A folder with a wrong file, or older than what is known, changes nothing.
Running instances take it over within a minute while the registry's origin does not answer; once it does, it counts.`

const BACKFILL_NOTES = `
One file at a time with a pause, newest first; each is kept before the next is asked for, so a run that was ended or that failed goes
on where it was. \`GET /registry/prices/<provider>/<model>\` and \`GET /registry/diff\` show what it brought. Exits with 1 if the
origin failed.`

export function registryCommand(): Command {
  const registry = new Command('registry').description('Load the model registry on a machine without a network.')
  registry
    .command('import')
    .description('Load a copy of the registry from a folder. Works while the service runs.')
    .argument('<dir>', 'the folder with the copy')
    .option('--json', 'print JSON')
    .addHelpText('after', NOTES)
    .action((dir: string, options: { json?: boolean }) => run((signal) => importFrom(dir, options, signal)))
  registry
    .command('backfill')
    .description(
      "Fetch the archived versions of the registry's origin: prices over time. Works while the service runs.",
    )
    .option('--versions <n>', 'of each provider, the newest so many', wholeNumber, REGISTRY_LIMITS.importVersionsMax)
    .option('--json', 'print JSON')
    .addHelpText('after', BACKFILL_NOTES)
    .action((options: BackfillFlags) => run((signal) => backfill(options, signal)))
  return registry
}

type BackfillFlags = { readonly versions: number; readonly json?: boolean }

async function backfill({ versions: versionsMax, json }: BackfillFlags, signal: AbortSignal): Promise<void> {
  const config = prepareConfig()
  const resources = await openResources(config, commandLogger(config), 'borrow', signal)
  const onFile = ({ provider, version }: { provider: string; version: number }) =>
    void process.stderr.write(`${provider}@${version}\n`)
  try {
    const options = { config: config.registry, clock: systemClock, versionsMax, onFile, signal }
    const done = await abortable(backfillRegistry(resources.database.orm, options), signal)
    process.stdout.write(
      `${json === true ? JSON.stringify({ providers: done }) : done.map(describeBackfill).join('\n')}\n`,
    )
    if (done.some(({ failure }) => failure !== null)) process.exitCode = 1
  } finally {
    await resources.lifecycle.close()
  }
}

function describeBackfill({ provider, newest, added, known, missing, failure }: BackfilledProvider): string {
  const end = failure === null ? '' : ` Stopped: ${failure}. Run it again to go on.`
  return `${provider}@${newest ?? '?'}: ${added} versions added, ${known} known before, ${missing} not archived.${end}`
}

function wholeNumber(text: string): number {
  const number = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(number <= REGISTRY_LIMITS.importVersionsMax)) {
    throw new InvalidArgumentError(`It is a whole number from 1 to ${REGISTRY_LIMITS.importVersionsMax}.`)
  }
  return number
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
