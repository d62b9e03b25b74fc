import { AppError } from '../../platform/errors.js'
import type { Archives } from './archives.js'
import { type Copied, unknownProvider } from './current-registry.js'
import { diffModels } from './diff-models.js'
import { isProvider, type ProviderName } from './providers.js'
import { renderJson } from './render.js'

export type DiffDeps = {
  readonly find: Archives['find']
  /** The newest version that is known, a bundled one included. */
  readonly version: (provider: ProviderName) => number | undefined
  readonly firstRound: () => Promise<void> | undefined
}
export type DiffInput = { readonly provider: string; readonly from: number; readonly to: number | undefined }

/**
 * What changed between two versions of a provider's file; to the newest one if none is named. Throws `not-found` for a
 * provider or a version that is not there, `registry-unavailable` if that cannot be said now.
 */
export async function registryDiff(deps: DiffDeps, { provider, from, to }: DiffInput): Promise<Copied> {
  if (!isProvider(provider)) throw unknownProvider(provider)
  await deps.firstRound()
  const until = to ?? deps.version(provider)
  if (until === undefined) throw new AppError('registry-unavailable', 'Nothing of this provider was ever loaded.')
  const [older, newer] = await Promise.all([deps.find(provider, from), deps.find(provider, until)])
  if (older === undefined || newer === undefined) {
    throw new AppError('not-found', `${provider} has no version ${older === undefined ? from : until}.`)
  }
  const diff = { provider, from, to: until, ...diffModels(older.file.index, newer.file.index) }
  const isFinal = to !== undefined && older.archived && newer.archived
  const source = [older, newer].some(({ file }) => file.source === 'bundled') ? 'bundled' : 'origin'
  const freshness = isFinal
    ? ({ kind: 'immutable' } as const)
    : ({ kind: 'copy', ageSeconds: 0, maxAgeSeconds: 60 } as const)
  return { rendered: renderJson(diff, source), freshness }
}
