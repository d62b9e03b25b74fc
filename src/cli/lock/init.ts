import { Command } from 'commander'
import { AliasError } from '../../client/alias-error.js'
import { prepareConfig, run } from '../prepare.js'
import { onRegistry, openPlace, type PlaceOptions, print, printJson } from './place.js'
import { PROVIDERS } from './registry.js'
import { showAlias } from './show.js'

const NOTES = `
Its models are of the providers whose key is in the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY or
GEMINI_API_KEY), or of all of them if none is: chat models, chosen by what the registry says of them.`

export function initCommand(): Command {
  const command = new Command('init')
    .description('Make a lockfile with aliases for common tasks.')
    .option('--force', 'replace the lockfile that is there')
    .addHelpText('after', NOTES)
  return onRegistry(command).action((options: PlaceOptions & { force?: boolean }) => run(() => init(options)))
}

async function init(options: PlaceOptions & { force?: boolean }): Promise<void> {
  const config = prepareConfig()
  const { client, path, profile = 'default' } = openPlace(config, options, 'a-place')
  const providers = config.client.providers.length === 0 ? PROVIDERS : config.client.providers
  const aliases = await client
    .initLockfile({ profile, providers, force: options.force === true })
    .catch((error: unknown) => {
      const exists = error instanceof AliasError && error.code === 'lockfile-exists'
      throw exists ? new Error(`${error.message} --force replaces it.`) : error
    })
  if (options.json === true) return printJson({ file: path, aliases })
  print(`Made ${path}:`)
  print(aliases.map(showAlias).join('\n'))
}
