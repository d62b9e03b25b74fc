import { createRateLimit, type RateLimit } from '../platform/rate-limit.js'
import type { Ground } from './ground.js'

/** The rate limits that the settings ask for; undefined for each whose setting is 0. */
export type RateLimits = {
  readonly perKey: RateLimit | undefined
  readonly perAddress: RateLimit | undefined
  readonly newProjects: RateLimit | undefined
}

export function createRateLimits({ config, redis }: Ground): RateLimits {
  const { perKeyPerMinute, perAddressPerMinute, newProjectsPerMinute } = config.limits
  const limit = (name: string, perMinute: number, what: string) =>
    perMinute === 0 ? undefined : createRateLimit(name, perMinute, redis, what)
  return {
    perKey: limit('key', perKeyPerMinute, 'requests with one key'),
    perAddress: limit('address', perAddressPerMinute, 'requests from one address'),
    newProjects: limit('new-projects', newProjectsPerMinute, 'new projects'),
  }
}
