import type { Clock } from '../../platform/clock.js'
import { BUNDLED_DATE } from './bundled-registry.js'
import type { ProviderCopies, Snapshot } from './copies.js'
import { PROVIDER_NAMES, type ProviderName, versionsOf } from './providers.js'

export type CheckResult = { readonly ok: boolean; readonly detail: string }

export type CheckDeps = {
  readonly providers: ProviderCopies
  /** Waits, bounded, for the first load. */
  readonly firstRound: () => Promise<void> | undefined
  readonly clock: Clock
}

/** Whether every provider can be had from the origin, in a line for people. */
export async function checkRegistry(deps: CheckDeps): Promise<CheckResult> {
  await deps.firstRound()
  const states = PROVIDER_NAMES.map((name) => ({ name, ...deps.providers[name].state() }))
  const lines = states.map(({ name, file, failure, confirmedAt }) => {
    if (file === undefined || confirmedAt === undefined)
      return `${name}: not loaded (${failure ?? 'no answer in time'})`
    const seconds = Math.max(0, Math.round((deps.clock() - confirmedAt) / 1000))
    const age = file.source === 'bundled' ? `bundled copy of ${BUNDLED_DATE}` : `${seconds} s old`
    const known = `${name}@${file.version}: ${file.index.byKey.size} models, ${age}`
    return failure === undefined ? known : `${known} (${failure})`
  })
  return {
    ok: states.every(({ file, failure }) => file !== undefined && failure === undefined),
    detail: lines.join('; '),
  }
}

export type SummaryDeps = {
  readonly snapshot: () => Snapshot
  readonly version: (provider: ProviderName) => number | undefined
  readonly baseUrl: string
}

/** What the registry is made of now, for the start-up lines: its versions, and whether they are the bundled ones. */
export function summarizeRegistry({ snapshot, version, baseUrl }: SummaryDeps): string {
  const { host } = new URL(baseUrl)
  const versions = versionsOf(PROVIDER_NAMES, version)
  if (versions === null) return `not loaded yet; asked for at ${host}`
  if (snapshot().complete) return `${versions}, refreshed from ${host}`
  return `${versions}, bundled copy of ${BUNDLED_DATE} until ${host} answers`
}
