import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, isLoopback, readConfig } from '../../src/config/config.js'
import { ENVIRONMENT } from '../../src/config/env.js'
import { Secret } from '../../src/config/secret.js'

let directory: string
let withFile: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmring-config-'))
  withFile = mkdtempSync(join(tmpdir(), 'llmring-config-'))
})
afterAll(() => {
  for (const one of [directory, withFile]) rmSync(one, { recursive: true, force: true })
})

function configOf(variables: Record<string, string>, from = directory): Config {
  const read = readConfig(from, variables)
  if (!read.ok) throw new Error(read.faults.join('\n'))
  return read.config
}

function faultsOf(variables: Record<string, string>): readonly string[] {
  const read = readConfig(directory, variables)
  return read.ok ? [] : read.faults
}

const SECRET = 'sesame-open-yourself'
const URL_WITH_SECRET = `postgres://user:${SECRET}@db.example:5432/llmring`
const KEY = Buffer.alloc(32, 7)
const LOG_KEY = Buffer.alloc(32, 0xa5)

describe('without any setting', () => {
  test('the defaults of the original hold, and the service stays on this machine', () => {
    const config = configOf({})
    expect(config.embedded).toBe(true)
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 8000, trustedProxies: 0 })
    expect(config.listen.corsOrigins).toEqual(['http://localhost:5173', 'http://localhost:5174'])
    expect(config.database).toMatchObject({ schema: 'llmring', connectionsMax: 30, prepare: true, pooled: false })
    expect(config.registry).toMatchObject({ baseUrl: 'https://llmring.github.io/registry/', cacheSeconds: 3600 })
    expect(config.projects.mode).toBe('open')
    expect(config.redis.url).toBeUndefined()
  })

  test('nothing is warned about', () => {
    expect(readConfig(directory, { PATH: '/bin', HOME: '/root' })).toMatchObject({ ok: true, warnings: [] })
  })
})

describe('a setting', () => {
  test('that is empty counts as not set', () => {
    const empty = Object.fromEntries(Object.keys(ENVIRONMENT.shape).map((name) => [name, '']))
    const { router, ...others } = configOf({})
    // It reads variables that no setting names: a function, and another one each time.
    const { variable, ...settings } = router
    expect(configOf(empty)).toMatchObject({ ...others, router: settings })
    expect(variable('LLMRING_ROUTER_CONFIG')).toBeUndefined()
  })

  test('with a name that means nothing here is warned about, by name alone', () => {
    const read = readConfig(directory, { LLMRING_DATABSE_URL: URL_WITH_SECRET, OTHER: 'x' })
    expect(read).toMatchObject({ ok: true, warnings: [expect.stringContaining('LLMRING_DATABSE_URL')] })
    expect(JSON.stringify(read)).not.toContain(SECRET)
  })

  test('is read from .env where the process has none, and the process wins', () => {
    writeFileSync(
      join(withFile, '.env'),
      'LLMRING_PORT=9001\nLLMRING_DATABASE_SCHEMA=from_file\n# LLMRING_HOST=nowhere\n',
    )
    const config = configOf({ LLMRING_PORT: '9002' }, withFile)
    expect(config.listen).toMatchObject({ port: 9002, host: '127.0.0.1' })
    expect(config.database.schema).toBe('from_file')
  })

  test('of a database opens the door to other machines', () => {
    expect(configOf({ LLMRING_DATABASE_URL: URL_WITH_SECRET }).listen.host).toBe('0.0.0.0')
    expect(configOf({ LLMRING_DATABASE_URL: URL_WITH_SECRET, LLMRING_HOST: '::1' }).listen.host).toBe('::1')
  })

  test.each([
    ['https://a.example', ['https://a.example']],
    ['https://a.example, http://b.example:81 ,', ['https://a.example', 'http://b.example:81']],
    ['["https://a.example","http://b.example:81"]', ['https://a.example', 'http://b.example:81']],
    ['*', ['*']],
    ['[]', []],
  ])('of origins may be %s', (text, origins) => {
    expect(configOf({ LLMRING_CORS_ORIGINS: text }).listen.corsOrigins).toEqual(origins)
  })

  test('of the key before names it, or says that it is lost', () => {
    const previousOf = (text: string) =>
      configOf({ LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64: text }).receipts.previousKey?.reveal()
    expect(previousOf(KEY.toString('base64'))).toBe(KEY.toString('base64url'))
    expect(previousOf('lost')).toBe('lost')
  })

  test.each(['base64url', 'base64'] as const)('of a key may be in %s', (encoding) => {
    const config = configOf({ LLMRING_RECEIPTS_PRIVATE_KEY_B64: KEY.toString(encoding) })
    expect(config.receipts.privateKey?.reveal()).toBe(KEY.toString('base64url'))
  })

  test('of a pooler: the direct address is used for what a pooler cannot do', () => {
    const direct = 'postgres://user@direct.example/llmring'
    const { database } = configOf({ LLMRING_DATABASE_URL: URL_WITH_SECRET, LLMRING_DATABASE_DIRECT_URL: direct })
    expect(database.pooled).toBe(true)
    expect([database.url?.reveal(), database.directUrl?.reveal()]).toEqual([URL_WITH_SECRET, direct])
    expect(configOf({ LLMRING_DATABASE_URL: URL_WITH_SECRET }).database.directUrl?.reveal()).toBe(URL_WITH_SECRET)
  })

  test.each(['https://r.example/x', 'https://r.example/x/', 'https://r.example/x//'])(
    'of a registry ends in one slash, however it is written: %s',
    (url) => {
      expect(configOf({ LLMRING_REGISTRY_BASE_URL: url }).registry.baseUrl).toBe('https://r.example/x/')
    },
  )
})

/** For every setting that can be wrong, values that are. Each carries the marker, so that an echo would be seen. */
const MARK = 'zqx'
const WRONG: Readonly<Record<string, readonly string[]>> = {
  LLMRING_PORT: [MARK, '-1', '65536', '80.5'],
  LLMRING_DATABASE_URL: [`mysql://${MARK}/db`, MARK],
  LLMRING_DATABASE_DIRECT_URL: [`http://${MARK}`],
  LLMRING_DATABASE_SCHEMA: [`${MARK}-a`, `9${MARK}`, `"${MARK}"`, MARK.repeat(14)],
  LLMRING_DATABASE_POOL_SIZE: [MARK, '0'],
  LLMRING_DATABASE_POOL_OVERFLOW: [MARK, '-1'],
  LLMRING_DATABASE_PREPARE: [MARK, 'yes'],
  LLMRING_DATABASE_TIMEOUT_MS: [MARK, '99', '18001'],
  LLMRING_REDIS_URL: [`http://${MARK}`],
  LLMRING_CACHE_TTL: [MARK, '0'],
  LLMRING_CORS_ORIGINS: [MARK, `https://${MARK}/path`, `["${MARK}"`, `*,https://${MARK}`, `[1, "${MARK}"]`],
  LLMRING_REGISTRY_BASE_URL: [`ftp://${MARK}`, MARK],
  LLMRING_REGISTRY_TIMEOUT_MS: [MARK, '99'],
  LLMRING_REGISTRY_BUNDLED: [MARK, 'no'],
  LLMRING_WEBHOOK_PRIVATE: [MARK, 'yes'],
  LLMRING_RECEIPTS_PRIVATE_KEY_B64: [MARK, KEY.subarray(1).toString('base64'), `${KEY.toString('base64')}${MARK}`],
  LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64: [MARK, 'Lost', KEY.subarray(1).toString('base64')],
  LLMRING_RECEIPTS_PUBLIC_KEY_B64: [`${MARK} ${MARK}`],
  LLMRING_RECEIPTS_KEY_ID: [`${MARK} ${MARK}`, MARK.repeat(43)],
  LLMRING_TLOG_PRIVATE_KEY_B64: [MARK, KEY.subarray(1).toString('base64')],
  LLMRING_TLOG_GUARD: [MARK, 'file:', `none${MARK}`],
  LLMRING_TLOG_ORIGIN: [`${MARK} ${MARK}`, `${MARK}+${MARK}`],
  LLMRING_PROJECTS: [MARK, 'OPEN'],
  LLMRING_ADMIN_KEY: [MARK, `${MARK} ${MARK.repeat(6)}`],
  LLMRING_KEY_PEPPER: [MARK],
  LLMRING_KEY_PEPPER_PREVIOUS: [MARK],
  LLMRING_RATE_LIMIT_PER_KEY: [MARK, '-1'],
  LLMRING_RATE_LIMIT_PER_ADDRESS: [MARK, '-1'],
  LLMRING_NEW_PROJECTS_PER_MINUTE: [MARK, '-1'],
  LLMRING_TRUSTED_PROXIES: [MARK, '17'],
  LLMRING_BODY_BYTES_MAX: [MARK, '1023'],
  LLMRING_CONNECTIONS_PER_ADDRESS: [MARK, '-1', '110001'],
  LLMRING_STALE_MAX: [MARK, '-1', '86401'],
  LLMRING_WATCHERS_MAX: [MARK, '-1', '100001'],
  LLMRING_USAGE_GROUP_ITEMS_MAX: [MARK, '0'],
  LLMRING_USAGE_LANES: [MARK, '0'],
  LLMRING_IDEMPOTENCY_DAYS: [MARK, '0', '3651'],
  LLMRING_USAGE_RETENTION_MONTHS: [MARK, '-1', '1201'],
  LLMRING_LOG_LEVEL: [MARK, 'INFO'],
  LLMRING_ACCESS_LOG: [MARK, '1.1', '0x1', ' '],
  LLMRING_ACCESS_LOG_SLOW_MS: [MARK, '-1'],
  LLMRING_SHUTDOWN_TIMEOUT_MS: [MARK, '600001'],
  LLMRING_PROFILE: [MARK.repeat(86)],
  LLMRING_ROUTER_OPEN: [MARK, 'yes'],
  LLMRING_ROUTER_PROVIDERS: [`${MARK}!`, `groq,,${MARK}`, `${MARK} ${MARK}`],
  LLMRING_ROUTER_DEFAULT_MODEL: [MARK.repeat(86)],
  LLMRING_SERVER_URL: [MARK, `ftp://${MARK}`, `http://user:${MARK}@host`, `http://host?${MARK}`],
  LLMRING_PROJECT_KEY: [`${MARK} ${MARK}`, MARK.repeat(86)],
  LLMRING_API_KEY: [`${MARK}ü`],
}
/** Any text is an address or a directory; whether it is there shows when it is used. */
const ANY_TEXT = [
  ...[
    'LLMRING_TLOG_POLICY_FILE',
    'LLMRING_ROUTER_CONFIG',
    'LLMRING_ROUTER_MODEL_INDEX_URL',
    'LLMRING_LOCKFILE_PATH',
    'LLMRING_DATA_DIR',
    'LLMRING_HOST',
  ],
]

describe('a wrong setting', () => {
  const cases = Object.entries(WRONG).flatMap(([name, values]) => values.map((value) => [name, value] as const))

  test.each(cases)('%s=%s is a fault that names the setting and never the value', (name, value) => {
    const faults = faultsOf({ [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name}(\\.\\d+)?: .`))
    expect(faults[0]).not.toContain(MARK)
  })

  test('is tested of every setting', () => {
    expect([...Object.keys(WRONG), ...ANY_TEXT].sort()).toEqual(Object.keys(ENVIRONMENT.shape).sort())
  })

  test('may be in a file that cannot be looked at: that is a fault, and not the defaults', () => {
    const noFolder = join(withFile, 'file')
    writeFileSync(noFolder, '')
    const { ok, faults } = { faults: [], ...readConfig(noFolder, {}) }
    expect([ok, faults]).toEqual([
      false,
      [`.env: ${join(noFolder, '.env')} must be a file that this user may read (ENOTDIR)`],
    ])
  })

  test('does not hide the others: all faults come together', () => {
    const wrong = Object.fromEntries(Object.entries(WRONG).map(([name, [value]]) => [name, value ?? '']))
    const faults = faultsOf(wrong)
    for (const name of Object.keys(WRONG)) expect(faults.filter((fault) => fault.startsWith(name))).not.toEqual([])
    expect(faults.join('\n')).not.toContain(MARK)
  })

  test.each([
    ['LLMRING_DATABASE_DIRECT_URL', URL_WITH_SECRET, 'LLMRING_DATABASE_URL'],
    ['LLMRING_KEY_PEPPER_PREVIOUS', SECRET, 'LLMRING_KEY_PEPPER'],
  ])('is one that needs another: %s without it', (name, value, needed) => {
    expect(faultsOf({ [name]: value })).toEqual([`${name}: needs ${needed}`])
  })
})

describe('a key that signs, with a database of your own,', () => {
  const signing = { LLMRING_DATABASE_URL: URL_WITH_SECRET, LLMRING_RECEIPTS_PRIVATE_KEY_B64: KEY.toString('base64') }
  const logKey = { LLMRING_TLOG_PRIVATE_KEY_B64: LOG_KEY.toString('base64') }

  test('needs a log with a key and a guard: both are named in one line, with the command that makes a key', () => {
    const [fault = '', ...others] = faultsOf(signing)
    expect(others).toEqual([])
    expect(fault).toMatch(/^LLMRING_TLOG_PRIVATE_KEY_B64 and LLMRING_TLOG_GUARD: .*openssl rand/)
    expect(faultsOf({ ...signing, ...logKey })[0]).toMatch(/^LLMRING_TLOG_GUARD: /)
    expect(faultsOf({ ...signing, LLMRING_TLOG_GUARD: 'none' })[0]).toMatch(/^LLMRING_TLOG_PRIVATE_KEY_B64: /)
    expect(faultsOf({ LLMRING_DATABASE_URL: URL_WITH_SECRET, ...logKey })[0]).toMatch(/^LLMRING_TLOG_GUARD: /)
  })

  test('may have each kind of guard', () => {
    const policy = { LLMRING_TLOG_POLICY_FILE: 'policy' }
    const guard = (text: string) => configOf({ ...signing, ...logKey, ...policy, LLMRING_TLOG_GUARD: text }).log.guard
    expect([guard('witness'), guard('none')]).toEqual([{ kind: 'witness' }, { kind: 'none' }])
    expect(guard('file:/var/lib/guard')).toEqual({ kind: 'file', path: '/var/lib/guard' })
    expect(faultsOf({ ...signing, ...logKey, LLMRING_TLOG_GUARD: 'witness' })).toEqual([
      expect.stringMatching(/^LLMRING_TLOG_GUARD: .*LLMRING_TLOG_POLICY_FILE/),
    ])
  })

  test('is not the key of the log', () => {
    const key = KEY.toString('base64')
    const faults = faultsOf({ LLMRING_RECEIPTS_PRIVATE_KEY_B64: key, LLMRING_TLOG_PRIVATE_KEY_B64: key })
    expect(faults).toEqual([expect.stringMatching(/^LLMRING_TLOG_PRIVATE_KEY_B64: must be another key/)])
  })
})

describe('a secret', () => {
  const secrets = {
    LLMRING_DATABASE_URL: URL_WITH_SECRET,
    LLMRING_DATABASE_DIRECT_URL: URL_WITH_SECRET,
    LLMRING_REDIS_URL: `redis://:${SECRET}@cache.example`,
    LLMRING_ADMIN_KEY: SECRET,
    LLMRING_KEY_PEPPER: SECRET,
    LLMRING_KEY_PEPPER_PREVIOUS: `${SECRET}-before`,
    LLMRING_RECEIPTS_PRIVATE_KEY_B64: KEY.toString('base64url'),
    LLMRING_TLOG_PRIVATE_KEY_B64: LOG_KEY.toString('base64url'),
    LLMRING_TLOG_GUARD: 'none',
  }
  const printed: readonly (readonly [string, (config: Config) => string])[] = [
    ['JSON', (config) => JSON.stringify(config)],
    ['inspect', (config) => inspect(config, { depth: null, showHidden: true })],
    [
      'String of every part',
      (config) =>
        Object.values(config)
          .flatMap((part) => Object.values(part))
          .map(String)
          .join(),
    ],
    ['a template', (config) => `${config.database.url} ${config.projects.adminKey} ${config.receipts.privateKey}`],
  ]
  test.each(printed)('is not shown by %s', (_, print) => {
    const text = print(configOf(secrets))
    expect(text).toContain('[hidden]')
    expect(text).not.toContain(SECRET)
    expect(text).not.toContain(KEY.toString('base64url'))
    expect(text).not.toContain(LOG_KEY.toString('base64url'))
  })

  test('is there for who asks for it', () => {
    const config = configOf(secrets)
    expect(config.projects.adminKey?.reveal()).toBe(SECRET)
    expect(config.redis.url?.reveal()).toContain(SECRET)
    expect(new Secret('x').reveal()).toBe('x')
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.evil.example', false],
  ['10.0.0.1', false],
])('%s is an address of this machine only: %s', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback)
})

test('a registry address that could not be shown, or to which no path can be added, is a fault', () => {
  for (const url of [
    'https://user:s3cr3t@registry.example/',
    'https://registry.example/?token=s3cr3t',
    'https://registry.example/#x',
  ]) {
    const read = readConfig('/nowhere', { LLMRING_REGISTRY_BASE_URL: url })
    expect(read).toMatchObject({ ok: false, faults: [expect.stringContaining('LLMRING_REGISTRY_BASE_URL')] })
    expect(JSON.stringify(read)).not.toContain('s3cr3t')
  }
})
