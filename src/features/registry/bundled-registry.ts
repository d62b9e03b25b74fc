import { invariant } from '../../platform/invariant.js'
import { currentTarget, isProvider } from './providers.js'
import { type ProviderFile, readProviderFile } from './registry-file.js'

/**
 * The day of the facts in `bundled/`. They are those of the public LLMRing registry (llmring/registry, commit fe9f638;
 * MIT License, Copyright (c) 2025 LLMRing): ids, prices, limits and capabilities, without its prose and its ratings.
 * Their version numbers are the registry's own, so an event priced by them names the archived version with the same
 * prices.
 */
export const BUNDLED_DATE = '2026-08-18'

/**
 * When the bundled facts were true for sure, in milliseconds since the epoch: what the `Age` of a response counts from.
 */
export const BUNDLED_AT = Date.parse(`${BUNDLED_DATE}T00:00:00Z`)

/** The bundled providers' files, read once for each returned function, and only when it is called. */
export function bundledRegistry(): () => Promise<readonly ProviderFile[]> {
  let files: Promise<readonly ProviderFile[]> | undefined
  return () => {
    files ??= readBundled()
    return files
  }
}

async function readBundled(): Promise<readonly ProviderFile[]> {
  const modules = await Promise.all([
    import('./bundled/anthropic.json', { with: { type: 'json' } }),
    import('./bundled/google.json', { with: { type: 'json' } }),
    import('./bundled/openai.json', { with: { type: 'json' } }),
  ])
  return modules.map(({ default: json }) => {
    invariant(isProvider(json.provider), 'a bundled file is of a known provider')
    const result = readProviderFile(currentTarget(json.provider), new TextEncoder().encode(JSON.stringify(json)))
    invariant(result.ok, 'a bundled file can be read')
    return { ...result.file, source: 'bundled' }
  })
}
