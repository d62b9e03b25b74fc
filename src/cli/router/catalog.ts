import { chmod, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { CATALOG_PROVIDERS, MODEL_INDEX } from '../../compose/gateway-settings.js'
import { openCatalog } from '../../compose/open-catalog.js'
import { buildCatalog, isFree } from '../../features/gateway/catalog/build-catalog.js'
import type { Catalog } from '../../features/gateway/catalog/catalog.js'
import { ConfigurationError } from '../../platform/configuration-error.js'
import { JSON_OUTPUT, ONLINE, print, printJson } from '../lock/place.js'
import { prepareConfig, run } from '../prepare.js'
import { writeWholeFile } from '../write-whole-file.js'
import { collectOffers } from './catalog/collect-offers.js'

type BuildOptions = { providers?: readonly string[]; includePaid?: boolean; output?: string; pretty?: boolean }
type ShowOptions = { providers?: readonly string[]; full?: boolean; json?: boolean }

const split = (text: string): readonly string[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  ),
]
const PUBLIC_MODE = 0o644
const OF_PROVIDERS = `(default: LLMRING_ROUTER_PROVIDERS, then ${CATALOG_PROVIDERS.join(',')})`

export function catalogCommand(): Command {
  const catalog = new Command('catalog').description(
    'Make and read the catalogue of models that the gateway can run from without a configuration file.',
  )
  catalog
    .command('build')
    .description(
      'Make a catalogue of the free models (price 0, or a name that ends in :free) of providers: of openai, anthropic and google from the registry, of others from their own lists, which their keys open.',
    )
    .option('--providers <names>', `of these, separated by commas ${OF_PROVIDERS}`, split)
    .option('--include-paid', 'also those that cost something, or of which no price is known')
    .option(
      '--output <file>',
      'write it there, whole or not at all, in place of an older catalogue (default: print it)',
    )
    .option('--pretty', 'with line breaks')
    .option(...ONLINE)
    .action((options: BuildOptions & { online?: boolean }) => run(() => build(options, options.online === true)))
  catalog
    .command('show')
    .description('Show the models of a catalogue, and what each provider calls them.')
    .argument('[source]', `its address or file (default: ${MODEL_INDEX})`)
    .option('--providers <names>', 'only of these, separated by commas', split)
    .option('--full', 'every model that the providers listed, too')
    .option(...JSON_OUTPUT)
    .action((source: string | undefined, options: ShowOptions) => run(() => show(source, options)))
  return catalog
}

async function build({ providers, includePaid, output, pretty }: BuildOptions, online: boolean): Promise<void> {
  const config = prepareConfig()
  const wanted = providers ?? config.router.providers ?? CATALOG_PROVIDERS
  const offers = await collectOffers(config, wanted, online)
  const catalog = buildCatalog(wanted, offers, includePaid === true)
  const text = `${JSON.stringify(catalog, null, pretty === true ? 2 : undefined)}\n`
  if (output === undefined) return void process.stdout.write(text)
  await refuseOther(output)
  await writeWholeFile(output, true, (stream) => pipeline(Readable.from([text]), stream))
  // It tells what anyone may know, and a web server that hands it out is another user.
  await chmod(output, PUBLIC_MODE)
  const left = includePaid === true ? 0 : offers.filter((offer) => !isFree(offer)).length
  print(
    `${output}: ${catalog.models.length} models of ${wanted.join(', ')}; ${left} left out that are not known to be free.`,
  )
}

/** An older catalogue is replaced, and nothing else. */
async function refuseOther(file: string): Promise<void> {
  const there = await stat(file).catch(() => null)
  if (there === null) return
  await openCatalog(file, '--output').catch((cause: unknown) => {
    throw new Error(`${file} exists and is no catalogue; it is not replaced.`, { cause })
  })
}

async function show(source: string | undefined, { providers, full, json }: ShowOptions): Promise<void> {
  const address = source ?? prepareConfig().router.modelIndex
  if (address === undefined) throw new ConfigurationError(`Name a catalogue, or set ${MODEL_INDEX}.`)
  const catalog = await openCatalog(address, source === undefined ? MODEL_INDEX : 'the argument')
  const shown = onlyOf(catalog, providers)
  if (json === true) return printJson(full === true ? shown : { providers: shown.providers, models: shown.models })
  for (const { canonical, providers: served } of shown.models) {
    print(canonical)
    for (const [provider, model] of Object.entries(served)) print(`  ${provider}:${model.model}  ${priceOf(model)}`)
  }
  if (full !== true) return
  for (const [provider, names] of Object.entries(shown.provider_catalogs)) {
    print(`${provider} lists ${names.length} models`)
    for (const name of names) print(`  ${name}`)
  }
}

function onlyOf(catalog: Catalog, providers: readonly string[] | undefined): Catalog {
  if (providers === undefined) return catalog
  const keep = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(of).filter(([name]) => providers.includes(name)))
  return {
    providers: catalog.providers.filter((name) => providers.includes(name)),
    models: catalog.models
      .map((model) => ({ ...model, providers: keep(model.providers) }))
      .filter((model) => Object.keys(model.providers).length > 0),
    provider_catalogs: keep(catalog.provider_catalogs),
  }
}

function priceOf({ cost_per_1k_in: input, cost_per_1k_out: output }: Catalog['models'][number]['providers'][string]) {
  if (input === 0 && output === 0) return 'free'
  const perMillion = (cost: number | null | undefined) => (typeof cost === 'number' ? String(cost * 1_000) : '?')
  return `${perMillion(input)} / ${perMillion(output)} USD per million tokens`
}
