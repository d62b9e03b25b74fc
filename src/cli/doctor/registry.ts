import { BUNDLED_DATE } from '../../features/registry/bundled-registry.js'
import { openCopies } from '../../features/registry/copies.js'
import type { RegistryConfig } from '../../features/registry/feature.js'
import { fetchFromOrigin } from '../../features/registry/fetch-file.js'
import { createOrigin } from '../../features/registry/origin.js'
import { checkRegistry } from '../../features/registry/report.js'
import { systemClock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import { CLI_LIMITS } from '../limits.js'
import { type Check, fail, ok, warn } from './check.js'

/** Fetches every provider's file from the origin. Nothing is kept, and no database is needed. */
export function registryCheck(settings: RegistryConfig, logger: Logger): Check {
  const config = { ...settings, fetchMsMax: Math.min(settings.fetchMsMax, CLI_LIMITS.registryFetchMsMax) }
  return {
    name: 'registry',
    look: async () => {
      const origin = createOrigin({ ...config, userAgent: 'llmring-server' })
      try {
        const fetch = fetchFromOrigin({ origin, clock: systemClock })
        const { cacheSeconds } = config
        const { providers } = openCopies({ fetch, keep: () => undefined, clock: systemClock, logger, cacheSeconds })
        const firstRound = async () => {
          await Promise.all(Object.values(providers).map((copy) => copy.refresh()))
        }
        const result = await checkRegistry({ providers, firstRound, clock: systemClock })
        const { host } = new URL(config.baseUrl)
        if (result.ok) return ok(`${result.detail}, from ${host}`)
        if (!config.bundled) return fail(`${host}: ${result.detail}`)
        return warn(`${host}: ${result.detail}; what was kept of it serves, else the bundled copy of ${BUNDLED_DATE}`)
      } finally {
        await origin.close()
      }
    },
  }
}
