import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { backendName } from '../../core/routing/index.js'
import type { Provider } from '../../features/gateway/config/providers.js'
import { type GatewayConfig, readGatewayConfig } from '../../features/gateway/config/read-config.js'
import { describeAliases } from '../../features/gateway/config/serving-aliases.js'
import { ConfigurationError } from '../../platform/configuration-error.js'
import { openPlace, print, printJson } from '../lock/place.js'
import { prepareConfig, run } from '../prepare.js'

type CheckOptions = { lockfile?: string; profile?: string; json?: boolean }

export function checkCommand(): Command {
  return new Command('check')
    .description('Check the configuration of the gateway, and print what would serve each alias. Calls no model.')
    .argument('[file]', 'the configuration (default: LLMRING_ROUTER_CONFIG)')
    .option('--lockfile <path>', 'the aliases of this lockfile, too')
    .option('--profile <name>', "the lockfile's profile (default: LLMRING_PROFILE, then its own)")
    .option('--json', 'print JSON')
    .action((file: string | undefined, options: CheckOptions) => run(() => check(file, options)))
}

async function check(given: string | undefined, options: CheckOptions): Promise<void> {
  const config = prepareConfig()
  const file = given ?? config.router.configFile
  if (file === undefined) throw new ConfigurationError('Name a file, or set LLMRING_ROUTER_CONFIG.')
  const read = readGatewayConfig(await readFile(file, 'utf8'), config.router.variable)
  if (!read.ok) throw new ConfigurationError(`${file} is wrong:\n${read.faults.map((one) => `  ${one}`).join('\n')}`)
  const { providers } = read.config
  const backends = providers.flatMap((provider) => provider.backends)
  const aliases = describeAliases(await boundOf(options), backends)
  if (options.json === true) return printJson({ file, valid: true, providers: providers.map(showProvider), aliases })
  print(`${file} is valid.`)
  print(renderProviders(read.config))
  for (const { alias, served, unserved } of aliases) {
    const missing = unserved.length === 0 ? '' : `  (no backend: ${unserved.join(', ')})`
    print(`${alias} -> ${served.join(', ') || 'nothing'}${missing}`)
  }
}

async function boundOf({ lockfile, profile }: CheckOptions) {
  if (lockfile === undefined) return []
  return openPlace(prepareConfig(), {
    file: lockfile,
    ...(profile === undefined ? {} : { profile }),
  }).client.listAliases()
}

/** What may be shown of a provider: whether it has a credential, never which. */
const showProvider = (provider: Provider) => ({
  ...{ name: provider.name, type: provider.type, base_url: provider.baseUrl },
  credential: provider.credential() !== null,
  models: provider.backends.map(({ model, tier, priority }) => ({ model, tier, priority })),
})

function renderProviders({ providers, policy, accounting }: GatewayConfig): string {
  const lines = providers.flatMap((provider) => {
    const where = provider.wire === 'echo' ? 'answers here' : provider.baseUrl
    const key = provider.credential() === null ? 'no key' : 'with a key'
    return provider.backends.map(
      (backend) => `  ${backendName(backend)}  tier ${backend.tier}  priority ${backend.priority}  ${where}, ${key}`,
    )
  })
  return [`policy ${policy.strategy}, accounting ${accounting}`, ...lines].join('\n')
}
