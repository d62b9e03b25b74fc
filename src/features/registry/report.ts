import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { BUNDLED_DATE } from './bundled-registry.js'
import type { Copies, Copy, ProviderCopies, RegistrySnapshot } from './copies.js'
import { PROVIDER_NAMES, type ProviderName, versionsOf } from './providers.js'
import type { ProviderFile, RegistryFile } from './registry-file.js'

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
  readonly snapshot: () => RegistrySnapshot
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

/**
 * Says what changed with a round, in one line for all of its files: which ones began to fail, and why, or that they are
 * refreshed again. A file that goes on failing is not named again.
 */
export function createRoundReport(logger: Logger): (round: readonly Copy<RegistryFile>[]) => void {
  const failing = new Set<string>()
  return (round) => {
    const began: Record<string, string> = {}
    const ended: string[] = []
    for (const { target, state } of round) {
      const { failure } = state()
      if (failure === undefined) {
        if (failing.delete(target.path)) ended.push(target.path)
      } else if (!failing.has(target.path)) {
        failing.add(target.path)
        began[target.path] = failure
      }
    }
    if (Object.keys(began).length > 0) {
      const serving = Object.fromEntries(
        round.map(({ target, state }) => [target.path, state().file?.source ?? 'nothing']),
      )
      logger.warn({ failed: began, serving }, 'the registry could not be refreshed; it is tried again')
    }
    if (ended.length > 0) logger.info({ files: ended }, 'the registry is refreshed again')
  }
}

/** How old each provider's copy is (NaN if it was never loaded), and whether it is the bundled one. */
export function exposeCopies(metrics: Metrics, { providers }: Copies, clock: Clock): void {
  const each = (value: (copy: Copy<ProviderFile>) => number) =>
    Object.fromEntries(PROVIDER_NAMES.map((name) => [name, value(providers[name])]))
  const ageHelp = "Seconds since the registry's origin last confirmed the copy of a provider's file."
  metrics.gauges('llmring_registry_age_seconds', ageHelp, 'provider', () =>
    each((copy) => (clock() - (copy.state().confirmedAt ?? Number.NaN)) / 1000),
  )
  const bundledHelp = "1 while a provider's file is the bundled one, since the origin was never reached."
  metrics.gauges('llmring_registry_bundled', bundledHelp, 'provider', () =>
    each((copy) => (copy.state().file?.source === 'bundled' ? 1 : 0)),
  )
}
