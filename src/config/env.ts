import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'dotenv'
import { z } from 'zod'
import { LOG_LEVELS } from '../platform/logger.js'

const PREFIX = 'LLMRING_'

const optional = <T extends z.ZodType>(schema: T) => schema.optional()
const integer = (least: number, most: number, unset: number) =>
  z
    .string()
    .refine(
      (digits) => /^\d{1,10}$/.test(digits) && Number(digits) >= least && Number(digits) <= most,
      `must be a whole number from ${least} to ${most}`,
    )
    .transform(Number)
    .default(unset)
const flag = (unset: boolean) =>
  z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .transform((text) => text === 'true' || text === '1')
    .default(unset)
const text = () => z.string().min(1)
const projectKey = () => z.string().regex(/^[!-~]{1,255}$/, 'must be 1 to 255 characters without spaces')
const pepper = () => z.string().min(16, 'must have 16 characters or more')
/** `a,b`, each once. */
const providerNames = () =>
  z
    .string()
    .transform((value) => [
      ...new Set(
        value
          .toLowerCase()
          .split(',')
          .map((item) => item.trim()),
      ),
    ])
    .refine((names) => names.every((name) => /^[a-z0-9_]{1,64}$/.test(name)), 'must be names like groq,openrouter')
const SHARE_RULE = 'must be a number from 0 to 1'
const url = (protocol: RegExp, example: string) =>
  z
    .string()
    .refine((value) => URL.canParse(value) && protocol.test(new URL(value).protocol), `must be a URL like ${example}`)
const postgresUrl = () => url(/^postgres(ql)?:$/, 'postgres://user:password@host:5432/database')

/** `a,b` or a JSON array of strings. */
const originList = z
  .string()
  .transform((value, context) => {
    if (!value.trimStart().startsWith('[')) return value.split(',').map((item) => item.trim())
    try {
      return z.array(z.string()).parse(JSON.parse(value))
    } catch {
      context.addIssue('must be a comma-separated list or a JSON array of strings')
      return z.NEVER
    }
  })
  .transform((items) => items.filter((item) => item !== ''))
  .pipe(
    z.array(
      z.string().refine((item) => item === '*' || isOrigin(item), 'each must be an origin like https://app.example'),
    ),
  )

/** A provider, and the variables that hold its key. */
const PROVIDER_KEYS = [
  ['openai', 'OPENAI_API_KEY'],
  ['anthropic', 'ANTHROPIC_API_KEY'],
  ['google', 'GOOGLE_API_KEY', 'GEMINI_API_KEY'],
] as const

const OLD_NAMES = [
  ['LLMROUTER_CONFIG', 'LLMRING_ROUTER_CONFIG'],
  ['LLMROUTER_MODEL_INDEX_URL', 'LLMRING_ROUTER_MODEL_INDEX_URL'],
  ['LLMROUTER_PROVIDERS', 'LLMRING_ROUTER_PROVIDERS'],
  ['LLMROUTER_DEFAULT_MODEL', 'LLMRING_ROUTER_DEFAULT_MODEL'],
] as const

/** A URL that can be shown, and to which a path can be added. */
const isPlainUrl = (value: string): boolean => {
  if (!URL.canParse(value)) return true
  const { username, password, search, hash } = new URL(value)
  return `${username}${password}${search}${hash}` === ''
}

const isOrigin = (value: string): boolean => URL.canParse(value) && new URL(value).origin === value

/** 32 bytes as base64url or base64, padded or not. */
const key32 = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9+/_-]{43}=?$/, 'must be 32 bytes in base64url or base64')
    .transform((value) => new Uint8Array(Buffer.from(value, 'base64url')))

const KEY_OR_LOST = 'must be 32 bytes in base64url or base64, or lost'

/** The environment, one entry a setting; `.env.example` describes them and a test keeps the two equal. */
export const ENVIRONMENT = z.object({
  LLMRING_HOST: optional(text()),
  LLMRING_PORT: integer(0, 65_535, 8000),
  LLMRING_DATA_DIR: text().default('./.llmring'),
  LLMRING_DATABASE_URL: optional(postgresUrl()),
  LLMRING_DATABASE_DIRECT_URL: optional(postgresUrl()),
  LLMRING_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,39}$/, 'must be 1 to 40 characters a-z, 0-9 and _, not starting with a digit')
    .default('llmring'),
  LLMRING_DATABASE_POOL_SIZE: integer(1, 1000, 20),
  LLMRING_DATABASE_POOL_OVERFLOW: integer(0, 1000, 10),
  LLMRING_DATABASE_PREPARE: flag(true),
  LLMRING_DATABASE_TIMEOUT_MS: integer(100, 18_000, 10_000),
  LLMRING_STALE_MAX: integer(0, 86_400, 300),
  LLMRING_REDIS_URL: optional(url(/^rediss?:$/, 'redis://host:6379/0')),
  LLMRING_CACHE_TTL: integer(1, 31_536_000, 3600),
  LLMRING_CORS_ORIGINS: originList.prefault('http://localhost:5173,http://localhost:5174'),
  LLMRING_REGISTRY_BASE_URL: url(/^https?:$/, 'https://host/registry/')
    .refine(isPlainUrl, 'must be without user, password, query and fragment')
    .default('https://llmring.github.io/registry/'),
  LLMRING_REGISTRY_TIMEOUT_MS: integer(100, 60_000, 5000),
  LLMRING_REGISTRY_BUNDLED: flag(true),
  LLMRING_RECEIPTS_PRIVATE_KEY_B64: optional(key32()),
  LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64: optional(z.union([z.literal('lost'), key32()], KEY_OR_LOST)),
  LLMRING_RECEIPTS_PUBLIC_KEY_B64: optional(key32()),
  LLMRING_RECEIPTS_KEY_ID: optional(
    z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -'),
  ),
  LLMRING_TLOG_PRIVATE_KEY_B64: optional(key32()),
  LLMRING_TLOG_GUARD: optional(z.string().regex(/^(file:.+|witness|none)$/, 'must be file:<path>, witness or none')),
  LLMRING_TLOG_POLICY_FILE: optional(z.string()),
  LLMRING_TLOG_ORIGIN: optional(
    z.string().regex(/^[^\s\p{Cc}+]{1,128}$/u, 'must be 1 to 128 characters without spaces and +'),
  ),
  LLMRING_PROJECTS: z.enum(['open', 'closed'], 'must be open or closed').default('open'),
  LLMRING_ADMIN_KEY: optional(z.string().regex(/^\S{16,255}$/, 'must be 16 to 255 characters without spaces')),
  LLMRING_KEY_PEPPER: optional(pepper()),
  LLMRING_KEY_PEPPER_PREVIOUS: optional(pepper()),
  LLMRING_WEBHOOK_PRIVATE: flag(false),
  LLMRING_RATE_LIMIT_PER_KEY: integer(0, 100_000_000, 0),
  LLMRING_RATE_LIMIT_PER_ADDRESS: integer(0, 100_000_000, 0),
  LLMRING_NEW_PROJECTS_PER_MINUTE: integer(0, 1_000_000, 60),
  LLMRING_CONNECTIONS_PER_ADDRESS: integer(0, 110_000, 2000),
  LLMRING_WATCHERS_MAX: integer(0, 100_000, 12_000),
  LLMRING_TRUSTED_PROXIES: integer(0, 16, 0),
  LLMRING_BODY_BYTES_MAX: integer(1024, 67_108_864, 4_194_304),
  LLMRING_ROUTER_CONFIG: optional(text()),
  LLMRING_ROUTER_OPEN: flag(false),
  LLMRING_ROUTER_MODEL_INDEX_URL: optional(text()),
  LLMRING_ROUTER_PROVIDERS: optional(providerNames()),
  LLMRING_ROUTER_DEFAULT_MODEL: optional(text().max(255, 'must have at most 255 characters')),
  LLMRING_USAGE_GROUP_ITEMS_MAX: integer(1, 1000, 500),
  LLMRING_USAGE_LANES: integer(1, 64, 2),
  LLMRING_IDEMPOTENCY_DAYS: integer(1, 3650, 32),
  LLMRING_USAGE_RETENTION_MONTHS: integer(0, 1200, 0),
  LLMRING_LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  LLMRING_ACCESS_LOG: z
    .string()
    .regex(/^(0|0?\.\d{1,9}|1|1\.0{1,9})$/, SHARE_RULE)
    .transform(Number)
    .default(0.01),
  LLMRING_ACCESS_LOG_SLOW_MS: integer(0, 3_600_000, 1000),
  LLMRING_SHUTDOWN_TIMEOUT_MS: integer(0, 600_000, 10_000),
  LLMRING_LOCKFILE_PATH: optional(text()),
  LLMRING_PROFILE: optional(text().max(255, 'must have at most 255 characters')),
  LLMRING_SERVER_URL: optional(
    url(/^https?:$/, 'https://host').refine(isPlainUrl, 'must be without user, password, query and fragment'),
  ),
  LLMRING_PROJECT_KEY: optional(projectKey()),
  LLMRING_API_KEY: optional(projectKey()),
})

export type Environment = z.output<typeof ENVIRONMENT>

export type EnvironmentResult =
  | {
      readonly ok: true
      readonly environment: Environment
      readonly unknown: readonly string[]
      readonly proxied: boolean
      /** The providers of which a key is set, by the names that their own programs read. */
      readonly providers: readonly string[]
      /** Where each setting that is set comes from; the others have their defaults. */
      readonly sources: ReadonlyMap<string, 'environment' | '.env'>
      /** Any variable: a configuration file names those that it needs. */
      readonly variable: (name: string) => string | undefined
    }
  | { readonly ok: false; readonly faults: readonly string[] }

/**
 * Reads the process environment, over a `.env` in the working directory. All faults come together, one line each;
 * `unknown` lists LLMRING_ names that mean nothing here. An empty value means unset. No value is ever repeated in a
 * fault.
 */
export function readEnvironment(directory?: string, variables: NodeJS.ProcessEnv = process.env): EnvironmentResult {
  const read = readLines(directory)
  if (typeof read === 'string') return { ok: false, faults: [`.env: ${read}`] }
  const all = Object.entries({ ...read, ...variables }).filter(([, value]) => value !== undefined && value !== '')
  const values = Object.fromEntries(all)
  const parsed = ENVIRONMENT.safeParse({ ...oldNames(values), ...values })
  if (!parsed.success) {
    return { ok: false, faults: parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`) }
  }
  const names = all.map(([name]) => name)
  return {
    ok: true,
    environment: parsed.data,
    unknown: names.filter((name) => name.startsWith(PREFIX) && !(name in ENVIRONMENT.shape)),
    providers: PROVIDER_KEYS.filter(([, ...keys]) => keys.some((key) => names.includes(key))).map(([name]) => name),
    proxied: names.some((name) => /^https?_proxy$/i.test(name)),
    variable: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    sources: new Map(names.map((name) => [name, variables[name] === undefined ? '.env' : 'environment'])),
  }
}

/** What the names mean that the router of this service had once. */
function oldNames(values: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const entries = OLD_NAMES.map(([old, name]) => [name, values[old]] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** What the `.env` sets, nothing if there is none; a text says why it cannot be used. */
function readLines(directory: string | undefined): Record<string, string> | string {
  let file = 'the working directory'
  try {
    file = resolve(directory ?? process.cwd(), '.env')
    const text = readFileSync(file, 'utf8')
    const set = parse(text)
    // Passed over, `LLMRING_PROJECTS closed` would leave the service open.
    const lost = [...text.matchAll(/^\s*(?:export\s+)?(LLMRING_\w+)/gm)].find(([, name = '']) => !(name in set))
    return lost === undefined ? set : `the line that begins with ${lost[1]} is not NAME=value`
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === 'uv_cwd') return 'the working directory is gone'
    // Of any other failure it is not known whether there is one: passed over, it would leave the service open, too.
    return code === 'ENOENT' ? {} : `${file} must be a file that this user may read (${code})`
  }
}
