import { readFile, stat } from 'node:fs/promises'
import { type Config, isLoopback } from '../config/config.js'
import { catalogConfig } from '../features/gateway/config/catalog-config.js'
import {
  type GatewayConfig,
  type GatewayConfigResult,
  readGatewayConfig,
} from '../features/gateway/config/read-config.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { SERVICE_LIMITS } from './limits.js'
import { openCatalog } from './open-catalog.js'

/** Whose models of a catalogue are used if nobody says. */
export const CATALOG_PROVIDERS = ['groq', 'openrouter', 'nvidia_nim']
export const MODEL_INDEX = 'LLMRING_ROUTER_MODEL_INDEX_URL'

/**
 * The gateway's configuration, from its file or else from a catalogue; null where it is off. Throws `ConfigurationError`
 * with every fault.
 */
export async function loadGatewaySettings(config: Config): Promise<GatewayConfig | null> {
  const { configFile, modelIndex, providers, isOpen, variable } = config.router
  if (configFile === undefined && modelIndex === undefined) return null
  if (config.projects.mode === 'open' && !isLoopback(config.listen.host) && !isOpen) throw new ConfigurationError(OPEN)
  if (configFile !== undefined) return found(configFile, readGatewayConfig(await readText(configFile), variable))
  const wanted = { providers: providers ?? CATALOG_PROVIDERS, areNamed: providers !== undefined }
  const catalog = await openCatalog(modelIndex ?? '', MODEL_INDEX)
  return found(`What ${MODEL_INDEX} names`, catalogConfig(catalog, wanted, variable))
}

function found(what: string, read: GatewayConfigResult): GatewayConfig {
  if (read.ok) return read.config
  throw new ConfigurationError(`${what} is wrong:\n${read.faults.map((fault) => `  ${fault}`).join('\n')}`)
}

const OPEN =
  'The gateway does not start: LLMRING_PROJECTS is open, so whoever reaches this address could spend what your providers charge. Set LLMRING_PROJECTS=closed, or LLMRING_ROUTER_OPEN=true if that is meant.'

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > SERVICE_LIMITS.configFileBytesMax) throw new ConfigurationError(`${file} is too large.`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`)
  }
}
