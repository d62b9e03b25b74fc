import { readFile, stat } from 'node:fs/promises'
import { type Config, isLoopback } from '../config/config.js'
import { type GatewayConfig, readGatewayConfig } from '../features/gateway/read-config.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { SERVICE_LIMITS } from './limits.js'

/** The gateway's configuration; null where it is off. Throws `ConfigurationError` with every fault of the file. */
export async function loadGatewaySettings(config: Config): Promise<GatewayConfig | null> {
  const { configFile, isOpen } = config.router
  if (configFile === undefined) return null
  if (config.projects.mode === 'open' && !isLoopback(config.listen.host) && !isOpen) throw new ConfigurationError(OPEN)
  const read = readGatewayConfig(await readText(configFile), config.router.variable)
  if (read.ok) return read.config
  throw new ConfigurationError(`${configFile} is wrong:\n${read.faults.map((fault) => `  ${fault}`).join('\n')}`)
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
