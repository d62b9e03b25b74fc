import { Command, InvalidArgumentError } from 'commander'
import { onRegistry, openPlace, type PlaceOptions, print, printJson, warn } from './lock/place.js'
import { showAlias } from './lock/show.js'
import { prepareConfig, run } from './prepare.js'

type BindOptions = PlaceOptions & { minContext?: number; maxCost?: number; requires?: readonly string[] }

const NOTES = `
A model is provider:model, like openai:gpt-4o-mini. provider:* is the cheapest model of the provider that satisfies the
constraints, by the registry. The lockfile has to be there; \`llmring-server lock init\` makes one.`

const readNumber = (text: string): number => {
  const value = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw new InvalidArgumentError('It must be a number, 0 or more.')
  return value
}
const readTokens = (text: string): number => {
  if (!Number.isInteger(readNumber(text))) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
const readNames = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

export function bindCommand(): Command {
  const command = new Command('bind')
    .description('Bind an alias in a lockfile, or replace what it is bound to.')
    .argument('<alias>', 'the name that programs use')
    .argument('<models>', 'in order of preference, like openai:gpt-4o-mini,google:gemini-2.5-flash')
    .option('--min-context <tokens>', 'constraint: tokens of context', readTokens)
    .option('--max-cost <usd>', 'constraint: USD per million input tokens', readNumber)
    .option('--requires <capabilities>', 'constraint: like vision,function_calling', readNames)
    .addHelpText('after', NOTES)
  return onRegistry(command).action((alias: string, models: string, options: BindOptions) =>
    run(() => bind(alias, models, options)),
  )
}

async function bind(alias: string, models: string, options: BindOptions): Promise<void> {
  const { client } = openPlace(prepareConfig(), options)
  const constraints = {
    ...(options.minContext === undefined ? {} : { min_context: options.minContext }),
    ...(options.maxCost === undefined ? {} : { max_cost: options.maxCost }),
    ...(options.requires === undefined ? {} : { requires: options.requires }),
  }
  const bound = await client.bindAlias(alias, models, {
    constraints: Object.keys(constraints).length === 0 ? null : constraints,
  })
  if (options.json === true) printJson(bound)
  else print(showAlias(bound))
  if (!bound.models.some((model) => model.endsWith(':*'))) return
  try {
    const now = await client.resolveCandidates(alias, { profile: bound.profile })
    if (options.json !== true) print(`now ${now.join(', ')}`)
  } catch (error) {
    warn((error as Error).message)
  }
}
