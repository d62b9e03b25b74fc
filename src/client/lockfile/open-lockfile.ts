import type { LockfileFormat } from '../../core/lockfile/index.js'
import type { AliasClient } from '../alias-client.js'
import { createClient } from '../create-client.js'
import { createLockfileSource, type LockfileStore } from './lockfile-source.js'
import { createRegistry, type LoadModels, loadFrom, PUBLIC_REGISTRY } from './registry.js'

export type { LoadModels, LockfileStore }

export type LockfileOptions = {
  /** Default: the lockfile's `default_profile`. */
  readonly profile?: string | undefined
  /**
   * Where models are looked up, for wildcards and new lockfiles: an address with the registry's layout, or a function.
   * Default: the public registry. Nothing is asked for before it is needed.
   */
  readonly registry?: string | LoadModels
}

/** Providers that the public registry has. */
const PROVIDERS = ['openai', 'anthropic', 'google']

/** Aliases of a lockfile that is kept anywhere. */
export function openLockfile(store: LockfileStore, options: LockfileOptions = {}): AliasClient {
  const { profile, registry = PUBLIC_REGISTRY } = options
  const load = typeof registry === 'string' ? loadFrom(registry) : registry
  const source = { store, profile, registry: createRegistry(load), providers: PROVIDERS, now: () => new Date() }
  return createClient(createLockfileSource(source))
}

/** A lockfile's text in memory. `text()` is what it has become; no text is a lockfile that `initLockfile` makes. */
export function lockfileText(
  text: string | undefined,
  format: LockfileFormat = 'toml',
): LockfileStore & { text(): string | undefined } {
  let held = text
  let changes = 0
  return {
    where: 'the lockfile',
    format,
    text: () => held,
    read: async () => held,
    mark: async () => (held === undefined ? undefined : String(changes)),
    replace: async (next, expected) => {
      if (held !== expected) return false
      held = next
      changes += 1
      return true
    },
  }
}
