import type { Copy } from './copy.js'
import { PROVIDER_NAMES, type ProviderName } from './providers.js'
import type { ProviderFile } from './registry-file.js'

export type ProviderCopies = Readonly<Record<ProviderName, Copy<ProviderFile>>>

/** All providers at one moment. It is replaced, never changed. */
export type Snapshot = {
  readonly files: readonly ProviderFile[]
  /** What a reader has to know of each provider: constant texts while an outage lasts, so that the bytes are, too. */
  readonly warnings: readonly { readonly provider: ProviderName; readonly text: string }[]
  readonly complete: boolean
}

/** The providers' last good copies together. A provider that was never loaded is missing, and a warning says so. */
export function takeSnapshot(copies: ProviderCopies): Snapshot {
  const files = PROVIDER_NAMES.flatMap((name) => copies[name].state().file ?? [])
  const warnings = PROVIDER_NAMES.flatMap((provider) => {
    const text = warningOf(provider, copies[provider])
    return text === undefined ? [] : [{ provider, text }]
  })
  return { files, warnings, complete: files.length === PROVIDER_NAMES.length }
}

function warningOf(provider: ProviderName, copy: Copy<ProviderFile>): string | undefined {
  const { file, stale, confirmedAt } = copy.state()
  if (file === undefined) return `${provider}: never loaded; its models are missing here.`
  if (!stale || confirmedAt === undefined) return undefined
  return `${provider}: the copy is stale; the origin last confirmed it at ${new Date(confirmedAt).toISOString()}.`
}

/** The oldest confirmation among the copies that a snapshot is made of: what `Age` counts from. */
export function oldestConfirmation(copies: ProviderCopies): number | undefined {
  const times = PROVIDER_NAMES.flatMap((name) => copies[name].state().confirmedAt ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}
