import { Command } from 'commander'
import { AliasError } from '../../client/alias-error.js'
import { checkReferences, type ReferenceFinding } from '../../client/lockfile/check-references.js'
import { formatOf, readLockfile } from '../../client/lockfile/lockfile-text.js'
import { createRegistry } from '../../client/lockfile/registry.js'
import { lockfileFile } from '../../client/node/lockfile-file.js'
import { prepareConfig, run } from '../prepare.js'
import { onRegistry, openPlace, type PlaceOptions, print, printJson, warn } from './place.js'
import { registryOf } from './registry.js'

export function validateCommand(): Command {
  const command = new Command('validate').description(
    'Check a lockfile: its structure, and every model in the registry. Exits with 1 if something is wrong.',
  )
  return onRegistry(command).action((options: PlaceOptions) => run(() => validate(options)))
}

async function validate(options: PlaceOptions): Promise<void> {
  const config = prepareConfig()
  const { path } = openPlace(config, options)
  const registry = createRegistry(registryOf(config, options.online))
  const text = (await lockfileFile(path).read()) ?? ''
  let read: ReturnType<typeof readLockfile>
  try {
    read = readLockfile(text, { where: path, format: formatOf(path) })
  } catch (error) {
    if (options.json === true && error instanceof AliasError) {
      printJson({ file: path, valid: false, problems: [{ message: error.message }], warnings: [] })
    }
    throw error
  }
  const { problems, warnings } = await checkReferences(read.lockfile, registry, options.profile)
  const valid = problems.length === 0
  if (options.json === true) {
    const structure = read.warnings.map((message) => ({ message }))
    printJson({ file: path, valid, problems, warnings: [...structure, ...warnings] })
  } else for (const message of [...read.warnings, ...warnings.map(sentence)]) warn(message)
  if (!valid) throw new Error(problems.map(sentence).join('\n'))
  if (options.json !== true) print(`${path} is valid.`)
}

const sentence = ({ profile, alias, model, message }: ReferenceFinding): string =>
  `${profile}/${alias}: ${model}: ${message}`
