import type { LoadModels } from '../../client/lockfile/registry.js'
import type { Config } from '../../config/config.js'
import { bundledRegistry } from '../../features/registry/bundled-registry.js'
import { createOrigin } from '../../features/registry/origin.js'
import { readVersion } from '../../platform/version.js'

/** The providers that are listed, and suggested from, if none is named. */
export const PROVIDERS = ['openai', 'anthropic', 'google']

/**
 * The registry as commands on a lockfile see it: the copy that comes with this program, so that they work without a
 * network and answer the same every time; or the configured origin, if they shall ask it or the copy is switched off.
 */
export function registryOf({ registry }: Config, online = false): LoadModels {
  if (!online && registry.bundled) return loadBundled()
  return async (provider) => {
    const origin = createOrigin({ ...registry, userAgent: `llmring-server/${readVersion()}` })
    try {
      const response = await origin.get(`${encodeURIComponent(provider)}/models.json`)
      if (response.status === 'missing') return undefined
      if (response.status === 'found') return JSON.parse(new TextDecoder().decode(response.bytes)) as unknown
      throw new Error(response.reason)
    } finally {
      await origin.close()
    }
  }
}

function loadBundled(): LoadModels {
  const read = bundledRegistry()
  return async (provider) => {
    const file = (await read()).find((one) => one.provider === provider)
    return file === undefined ? undefined : (JSON.parse(new TextDecoder().decode(file.bytes)) as unknown)
  }
}
