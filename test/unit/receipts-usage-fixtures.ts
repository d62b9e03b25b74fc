import type { LoggedUsage } from '../../src/features/receipts/batch/logged-usage.js'

const LOGGED_AT = Date.parse('2026-03-01T12:00:00.000Z')

/** A logged call with these changes; `at` counts calls and milliseconds. */
export function loggedUsage(at: number, changes: Partial<LoggedUsage> = {}): LoggedUsage {
  return {
    id: `019ca955-7300-7000-8000-${String(at).padStart(12, '0')}`,
    loggedAt: new Date(LOGGED_AT + at),
    provider: 'openai',
    model: 'gpt-4o-mini',
    alias: 'summarizer',
    profile: 'default',
    inputTokens: 1_200,
    outputTokens: 300,
    cachedInputTokens: 200,
    cacheReadInputTokens: null,
    cacheWrite5mInputTokens: null,
    cacheWrite1hInputTokens: null,
    reasoningTokens: null,
    cost: '0.000360000000',
    costStatus: 'priced',
    registryProviderVersion: 'openai@7',
    ...changes,
  }
}
