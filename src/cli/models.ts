import { Command } from 'commander'
import { type ListedModel, listModels } from '../client/lockfile/list-models.js'
import { createRegistry } from '../client/lockfile/registry.js'
import { JSON_OUTPUT, ONLINE, print, printJson } from './lock/place.js'
import { PROVIDERS, registryOf } from './lock/registry.js'
import { prepareConfig, run } from './prepare.js'

type ModelsOptions = { provider?: string; capability?: readonly string[]; json?: boolean; online?: boolean }

export function modelsCommand(): Command {
  return new Command('models')
    .description('List the models of the registry, the cheapest first: context in tokens, USD per million in / out.')
    .option('--provider <name>', 'only this one (openai, anthropic, google)')
    .option('--capability <name...>', 'only those that have it, like vision or function_calling; all of several')
    .option(...ONLINE)
    .option(...JSON_OUTPUT)
    .action((options: ModelsOptions) =>
      run(async () => {
        const { provider, capability = [] } = options
        const registry = createRegistry(registryOf(prepareConfig(), options.online))
        const names = capability.flatMap((list) => list.split(',')).map((name) => name.trim().toLowerCase())
        const models = await listModels(registry, provider === undefined ? PROVIDERS : [provider], names)
        if (options.json === true) printJson({ models })
        else if (models.length > 0) print(showTable(models))
        if (models.length === 0) throw new Error('The registry has no such model.')
      }),
    )
}

function showTable(models: readonly ListedModel[]): string {
  const width = Math.max(...models.map(({ model }) => model.length))
  return models
    .map(({ model, context, input, output }) => {
      const price = `${input ?? '?'} / ${output ?? '?'}`
      return `${model.padEnd(width)}  ${String(context ?? '?').padStart(8)}  ${price}`
    })
    .join('\n')
}
