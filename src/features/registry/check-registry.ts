import type { Clock } from '../../platform/clock.js'
import type { ProviderCopies } from './copies.js'
import { PROVIDER_NAMES } from './providers.js'

export type CheckResult = { readonly ok: boolean; readonly detail: string }

export type CheckDeps = {
  readonly providers: ProviderCopies
  /** Waits, bounded, for the first load. */
  readonly firstRound: () => Promise<void>
  readonly clock: Clock
}

/** Whether every provider can be had from the origin, in a line for people. */
export async function checkRegistry(deps: CheckDeps): Promise<CheckResult> {
  await deps.firstRound()
  const states = PROVIDER_NAMES.map((name) => ({ name, ...deps.providers[name].state() }))
  const lines = states.map(({ name, file, failure, confirmedAt }) => {
    if (file === undefined || confirmedAt === undefined)
      return `${name}: not loaded (${failure ?? 'no answer in time'})`
    const age = `${Math.max(0, Math.round((deps.clock() - confirmedAt) / 1000))} s old`
    const known = `${name}@${file.version}: ${file.index.byKey.size} models, ${age}`
    return failure === undefined ? known : `${known} (${failure})`
  })
  return {
    ok: states.every(({ file, failure }) => file !== undefined && failure === undefined),
    detail: lines.join('; '),
  }
}
