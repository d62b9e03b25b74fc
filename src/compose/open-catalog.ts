import { readFile, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Catalog, readCatalog } from '../features/gateway/catalog/catalog.js'
import { createOrigin } from '../features/registry/origin.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { readVersion } from '../platform/version.js'
import { SERVICE_LIMITS } from './limits.js'

/**
 * The catalogue at an address or in a file. Throws `ConfigurationError` if there is none, and an ordinary error if it
 * cannot be fetched now: whoever starts this program again may have more luck. `name` stands for the address in both,
 * which may hold what is nobody's business.
 */
export async function openCatalog(address: string, name: string): Promise<Catalog> {
  const text = /^https?:/i.test(address) ? await fetchText(address, name) : await readText(address, name)
  const read = readCatalog(text)
  if (!read.ok) throw new ConfigurationError(`What ${name} names ${read.reason}.`)
  return read.catalog
}

async function fetchText(address: string, name: string): Promise<string> {
  if (!URL.canParse(address)) throw new ConfigurationError(`${name} is no address.`)
  const { catalogFetchMsMax: fetchMsMax, catalogAttemptsMax, catalogRetryPauseMs, catalogBytesMax } = SERVICE_LIMITS
  const origin = createOrigin({ baseUrl: address, fetchMsMax, userAgent: `llmring-server/${readVersion()}` })
  try {
    for (let attempt = 1; ; attempt += 1) {
      const response = await origin.get(address)
      if (response.status === 'missing') throw new ConfigurationError(`There is nothing at the address of ${name}.`)
      if (response.status === 'found' && response.bytes.length <= catalogBytesMax)
        return new TextDecoder().decode(response.bytes)
      const reason = response.status === 'found' ? `it is larger than ${catalogBytesMax} bytes` : response.reason
      if (attempt >= catalogAttemptsMax) throw new Error(`What ${name} names cannot be fetched: ${reason}.`)
      await pause(catalogRetryPauseMs)
    }
  } finally {
    await origin.close()
  }
}

async function readText(address: string, name: string): Promise<string> {
  try {
    const file = /^file:/i.test(address) ? fileURLToPath(address) : address
    const { size } = await stat(file)
    if (size > SERVICE_LIMITS.catalogBytesMax) throw new ConfigurationError(`The file that ${name} names is too large.`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new ConfigurationError(`The file that ${name} names cannot be read (${code}).`)
  }
}
