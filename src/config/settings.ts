import { ENVIRONMENT, readEnvironment } from './env.js'

export type Setting = {
  readonly name: string
  /** As text; null where it is not set and has no default. Secrets are `[hidden]`. */
  readonly value: string | null
  readonly source: 'environment' | '.env' | 'default' | 'derived'
}

const HIDDEN = '[hidden]'
/** URLs with passwords in them, keys and peppers. */
const SECRETS = new Set([
  ...['LLMRING_DATABASE_URL', 'LLMRING_DATABASE_DIRECT_URL', 'LLMRING_REDIS_URL', 'LLMRING_ADMIN_KEY'],
  ...[
    'LLMRING_RECEIPTS_PRIVATE_KEY_B64',
    'LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64',
    'LLMRING_TLOG_PRIVATE_KEY_B64',
    'LLMRING_KEY_PEPPER',
    'LLMRING_KEY_PEPPER_PREVIOUS',
  ],
  ...['LLMRING_PROJECT_KEY', 'LLMRING_API_KEY'],
])

/** What is in force for settings that are not set, by their names: it follows from others. */
export type Derived = ReadonlyMap<string, string>

/** Every setting as it is in force, and where it comes from; none where the environment is wrong. */
export function listSettings(derived: Derived, directory?: string, variables?: NodeJS.ProcessEnv): Setting[] {
  const read = readEnvironment(directory, variables)
  if (!read.ok) return []
  const values = new Map<string, unknown>(Object.entries(read.environment))
  return Object.keys(ENVIRONMENT.shape).map((name) => {
    const value = values.get(name)
    const follows = value === undefined ? derived.get(name) : undefined
    const shown = value === undefined ? (follows ?? null) : render(value)
    return {
      name,
      value: SECRETS.has(name) && shown !== null ? HIDDEN : shown,
      source: follows === undefined ? (read.sources.get(name) ?? 'default') : 'derived',
    }
  })
}

function render(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url')
  return Array.isArray(value) ? value.join(',') : String(value)
}
