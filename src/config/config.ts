import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { type Environment, type EnvironmentResult, readEnvironment } from './env.js'
import { Secret } from './secret.js'

/** The settings, grouped by who needs them. Secrets are wrapped: printing a Config never shows one. */
export type Config = ReturnType<typeof groupSettings>

type ReadEnvironment = Extract<EnvironmentResult, { ok: true }>

export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] }

/** Reads the environment and groups it. Faults are printed together by the caller, which exits with 78 (EX_CONFIG). */
export function readConfig(directory?: string, variables?: NodeJS.ProcessEnv): ConfigResult {
  const read = readEnvironment(directory, variables)
  if (!read.ok) return read
  const faults = crossChecks(read.environment)
  if (faults.length > 0) return { ok: false, faults }
  const config = groupSettings(read)
  return {
    ok: true,
    config,
    warnings: read.unknown.map((name) => `${name} is not a setting of this service; it is ignored`),
  }
}

function crossChecks(environment: Environment): string[] {
  const faults: string[] = []
  if (environment.LLMRING_CORS_ORIGINS.includes('*') && environment.LLMRING_CORS_ORIGINS.length > 1) {
    faults.push("LLMRING_CORS_ORIGINS: '*' stands alone or not at all")
  }
  if (environment.LLMRING_DATABASE_DIRECT_URL !== undefined && environment.LLMRING_DATABASE_URL === undefined) {
    faults.push('LLMRING_DATABASE_DIRECT_URL: needs LLMRING_DATABASE_URL')
  }
  if (environment.LLMRING_KEY_PEPPER_PREVIOUS !== undefined && environment.LLMRING_KEY_PEPPER === undefined) {
    faults.push('LLMRING_KEY_PEPPER_PREVIOUS: needs LLMRING_KEY_PEPPER')
  }
  return [...faults, ...logFaults(environment)]
}

const NO_LOG_KEY =
  "a key that signs receipts needs a log to put them in, with a key of its own and a guard against rollbacks (LLMRING_TLOG_GUARD: file:<path on a disk that lasts>, witness or none). A key: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='"

/** What signs beside a database that others look after must be told how a restored backup is noticed: there is no default. */
function logFaults(environment: Environment): string[] {
  const { LLMRING_TLOG_PRIVATE_KEY_B64: logKey, LLMRING_RECEIPTS_PRIVATE_KEY_B64: receiptsKey } = environment
  if (logKey !== undefined && receiptsKey !== undefined && Buffer.from(logKey).equals(receiptsKey)) {
    return ['LLMRING_TLOG_PRIVATE_KEY_B64: must be another key than LLMRING_RECEIPTS_PRIVATE_KEY_B64']
  }
  if (environment.LLMRING_TLOG_GUARD === 'witness' && environment.LLMRING_TLOG_POLICY_FILE === undefined) {
    return ['LLMRING_TLOG_GUARD: witness asks the witnesses of LLMRING_TLOG_POLICY_FILE, which is not set']
  }
  const signs = logKey !== undefined || receiptsKey !== undefined
  if (environment.LLMRING_DATABASE_URL === undefined || !signs) return []
  const missing = (['LLMRING_TLOG_PRIVATE_KEY_B64', 'LLMRING_TLOG_GUARD'] as const).filter(
    (name) => environment[name] === undefined,
  )
  return missing.length === 0 ? [] : [`${missing.join(' and ')}: ${NO_LOG_KEY}`]
}

/** Where the newest checkpoint is remembered apart from the database. */
export type GuardSetting = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'witness' | 'none' }

function guardOf(text: string | undefined): GuardSetting | undefined {
  if (text === undefined) return undefined
  if (text.startsWith('file:')) return { kind: 'file', path: resolve(text.slice('file:'.length)) }
  return { kind: text === 'none' ? 'none' : 'witness' }
}

function groupSettings({ environment, proxied, providers, variable }: ReadEnvironment) {
  const embedded = environment.LLMRING_DATABASE_URL === undefined
  return {
    embedded,
    dataDir: resolve(environment.LLMRING_DATA_DIR),
    ...groupServing(environment, embedded),
    ...groupStores(environment),
    ...groupProduct(environment, proxied),
    router: groupRouter(environment, variable),
    tracing: groupTracing(variable),
    client: groupClient(environment, providers),
  }
}

const groupServing = (environment: Environment, embedded: boolean) => ({
  listen: {
    host: environment.LLMRING_HOST ?? (embedded ? '127.0.0.1' : '0.0.0.0'),
    port: environment.LLMRING_PORT,
    trustedProxies: environment.LLMRING_TRUSTED_PROXIES,
    corsOrigins: environment.LLMRING_CORS_ORIGINS,
    watchersMax: environment.LLMRING_WATCHERS_MAX,
    connectionsPerAddressMax: environment.LLMRING_CONNECTIONS_PER_ADDRESS,
    bodyBytesMax: environment.LLMRING_BODY_BYTES_MAX,
    shutdownMsMax: environment.LLMRING_SHUTDOWN_TIMEOUT_MS,
  },
  limits: {
    perKeyPerMinute: environment.LLMRING_RATE_LIMIT_PER_KEY,
    perAddressPerMinute: environment.LLMRING_RATE_LIMIT_PER_ADDRESS,
    newProjectsPerMinute: environment.LLMRING_NEW_PROJECTS_PER_MINUTE,
  },
  logging: {
    level: environment.LLMRING_LOG_LEVEL,
    accessShare: environment.LLMRING_ACCESS_LOG,
    slowMs: environment.LLMRING_ACCESS_LOG_SLOW_MS,
  },
})

const groupStores = (environment: Environment) => ({
  database: {
    url: secret(environment.LLMRING_DATABASE_URL),
    directUrl: secret(environment.LLMRING_DATABASE_DIRECT_URL ?? environment.LLMRING_DATABASE_URL),
    pooled: environment.LLMRING_DATABASE_DIRECT_URL !== undefined,
    schema: environment.LLMRING_DATABASE_SCHEMA,
    connectionsMax: environment.LLMRING_DATABASE_POOL_SIZE + environment.LLMRING_DATABASE_POOL_OVERFLOW,
    prepare: environment.LLMRING_DATABASE_PREPARE,
    statementMsMax: environment.LLMRING_DATABASE_TIMEOUT_MS,
    staleSecondsMax: environment.LLMRING_STALE_MAX,
  },
  redis: { url: secret(environment.LLMRING_REDIS_URL) },
})

const groupProduct = (environment: Environment, proxied: boolean) => ({
  registry: {
    baseUrl: `${environment.LLMRING_REGISTRY_BASE_URL.replace(/\/+$/, '')}/`,
    fetchMsMax: environment.LLMRING_REGISTRY_TIMEOUT_MS,
    cacheSeconds: environment.LLMRING_CACHE_TTL,
    bundled: environment.LLMRING_REGISTRY_BUNDLED,
    proxied,
  },
  receipts: {
    privateKey: secret(base64url(environment.LLMRING_RECEIPTS_PRIVATE_KEY_B64)),
    previousKey: secret(keyOrLost(environment.LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64)),
    publicKey: base64url(environment.LLMRING_RECEIPTS_PUBLIC_KEY_B64),
    keyId: environment.LLMRING_RECEIPTS_KEY_ID,
  },
  log: {
    privateKey: secret(base64url(environment.LLMRING_TLOG_PRIVATE_KEY_B64)),
    origin: environment.LLMRING_TLOG_ORIGIN,
    guard: guardOf(environment.LLMRING_TLOG_GUARD),
    policyFile: environment.LLMRING_TLOG_POLICY_FILE,
  },
  projects: {
    mode: environment.LLMRING_PROJECTS,
    adminKey: secret(environment.LLMRING_ADMIN_KEY),
    pepper: secret(environment.LLMRING_KEY_PEPPER),
    pepperPrevious: secret(environment.LLMRING_KEY_PEPPER_PREVIOUS),
  },
  webhooks: { privateAllowed: environment.LLMRING_WEBHOOK_PRIVATE },
  usage: {
    groupItemsMax: environment.LLMRING_USAGE_GROUP_ITEMS_MAX,
    lanes: environment.LLMRING_USAGE_LANES,
    idempotencyDays: environment.LLMRING_IDEMPOTENCY_DAYS,
    retentionMonths: environment.LLMRING_USAGE_RETENTION_MONTHS,
  },
})

const groupRouter = (environment: Environment, variable: ReadEnvironment['variable']) => ({
  configFile: environment.LLMRING_ROUTER_CONFIG,
  /** An address or a path; what it has of these providers is used if there is no file. */
  modelIndex: environment.LLMRING_ROUTER_MODEL_INDEX_URL,
  providers: environment.LLMRING_ROUTER_PROVIDERS,
  isOpen: environment.LLMRING_ROUTER_OPEN,
  defaultModel: environment.LLMRING_ROUTER_DEFAULT_MODEL,
  /** Any variable of the environment: the file names those that hold credentials. */
  variable,
})

/** As OpenTelemetry names them; its own programs read the same. */
const groupTracing = (variable: ReadEnvironment['variable']) => {
  const named = (name: string) => variable(name)?.trim() || undefined
  const base = named('OTEL_EXPORTER_OTLP_ENDPOINT')
  const isOff = named('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || named('OTEL_TRACES_EXPORTER') === 'none'
  const url = named('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? (base && `${base.replace(/\/+$/, '')}/v1/traces`)
  return {
    url: isOff ? undefined : url,
    headers: secret(named('OTEL_EXPORTER_OTLP_TRACES_HEADERS') ?? named('OTEL_EXPORTER_OTLP_HEADERS')),
  }
}

const groupClient = (environment: Environment, providers: readonly string[]) => ({
  lockfilePath: environment.LLMRING_LOCKFILE_PATH,
  profile: environment.LLMRING_PROFILE,
  serverUrl: environment.LLMRING_SERVER_URL,
  projectKey: secret(environment.LLMRING_PROJECT_KEY ?? environment.LLMRING_API_KEY),
  providers,
})

const secret = (value: string | undefined) => (value === undefined ? undefined : new Secret(value))

const keyOrLost = (value: Uint8Array | 'lost' | undefined) => (value === 'lost' ? value : base64url(value))

const base64url = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('base64url')

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
