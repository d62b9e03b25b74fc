import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/cli/doctor/check.js'
import { diagnose } from '../../src/cli/doctor.js'
import { type Config, readConfig } from '../../src/config/config.js'
import { openEmbedded } from '../../src/db/embedded/open-embedded.js'
import { echoNotification } from '../../src/db/inspect.js'
import { withSql } from '../fixtures/filled-database.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { REDIS_MISSING, startRedis } from '../support/redis-server.js'
import { type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

/** An Ed25519 key pair (RFC 8032, section 7.1, test 1). */
const LOG_KEYS = {
  LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 9).toString('base64url'),
  LLMRING_TLOG_GUARD: 'none',
}
const PRIVATE_KEY = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
const PUBLIC_KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
/** Its thumbprint (RFC 8037, appendix A.3). */
const KEY_ID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
const CLOSED = 'postgres://llmring:hidden-word@127.0.0.1:9/llmring'

let database: TestDatabase
let origin: RegistryOrigin
let directory: string

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(fileURLToPath(new URL('../fixtures/registry/', import.meta.url)))
  directory = await mkdtemp(join(tmpdir(), 'llmring-doctor-'))
  await chmod(directory, 0o755)
})
afterEach(async () => {
  await origin.fail(null)
})
afterAll(async () => {
  await database.drop()
  await origin.close()
  await rm(directory, { recursive: true, force: true })
})

/** Against the test's database and registry, unless told otherwise. */
function variables(changes: Record<string, string>): Record<string, string> {
  return { LLMRING_DATABASE_URL: database.url, LLMRING_REGISTRY_BASE_URL: origin.url, ...changes }
}

function configOf(settings: Record<string, string>): Config {
  const read = readConfig('/nowhere', settings)
  if (!read.ok) throw new Error(read.faults.join())
  return read.config
}

async function findings(changes: Record<string, string>, clock?: () => number): Promise<Record<string, Finding>> {
  const { checks } = await diagnose(configOf(variables(changes)), clock)
  return Object.fromEntries(checks.map(({ name, status, detail }) => [name, { status, detail }]))
}

const found = (status: string, detail: RegExp) => ({ status, detail: expect.stringMatching(detail) })

describe('with --offline', () => {
  it('everything but the registry is checked, and the registry is not asked', async () => {
    const settings = variables({})
    const { stdout, code } = await runCommand(['doctor', '--offline', '--json'], settings)
    const report = JSON.parse(stdout) as { ok: boolean; checks: { name: string; status: string }[] }
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true })
    const names = report.checks.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['database', 'migrations', 'redis', 'keys', 'node']))
    expect(names).not.toContain('registry')
    expect(origin.requests()).toEqual([])

    const online = JSON.parse((await runCommand(['doctor', '--json'], settings)).stdout) as typeof report
    expect(online.checks.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual(['registry'])
    expect(origin.requests()).not.toEqual([])
  })
})

describe('a service that lacks nothing', () => {
  it('is told so, check by check', async () => {
    const pair = { LLMRING_RECEIPTS_PRIVATE_KEY_B64: PRIVATE_KEY, LLMRING_RECEIPTS_PUBLIC_KEY_B64: PUBLIC_KEY }
    const keys = { ...pair, ...LOG_KEYS }
    expect(await findings({ ...keys, LLMRING_KEY_PEPPER: 'pepper-pepper-pepper' })).toEqual({
      database: found('ok', /^PostgreSQL \d+\.\d+.*, the database at .*, schema 'llmring'$/),
      migrations: found('ok', /^up to date at version \d+$/),
      notifications: found('ok', /work/),
      connections: found('ok', /^\d+ of \d+ are not used by others; each instance may use 33$/),
      clock: found('ok', /differ by 0\.\d s$/),
      redis: found('ok', /^not configured$/),
      registry: found('ok', /anthropic@\d+: \d+ models.*google@\d+.*openai@\d+/),
      keys: found('ok', new RegExp(`issued with key ${KEY_ID}; key pepper configured$`)),
      disk: found('ok', /^not used/),
      node: found('ok', new RegExp(`^${process.versions.node}$`)),
    })
  })
})

describe('without a database', () => {
  it('the other checks run all the same, and the program ends with 1 and without a stack', async () => {
    const { code, stdout } = await runCommand(['doctor'], variables({ LLMRING_DATABASE_URL: CLOSED }))
    expect(code).toBe(1)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
      ...['fail database', 'fail migrations', 'fail notifications', 'fail connections', 'fail clock'],
      ...['ok redis', 'ok registry', 'warn keys', 'ok disk', 'ok node'],
    ])
    expect(lines[0]).toMatch(/127\.0\.0\.1:9.*nothing listens there.*ECONNREFUSED.*LLMRING_DATABASE_URL/)
    // What to do is said once.
    for (const line of lines.slice(1, 5)) expect(line).toMatch(/not looked at: there is no connection to the database$/)
    expect(stdout).not.toMatch(/hidden-word|\n\s+at /)
  })

  it('a wrong way around the pooler is told from a database that is away', async () => {
    const seen = await findings({ LLMRING_DATABASE_DIRECT_URL: CLOSED })
    expect(seen['database']).toMatchObject({ status: 'ok' })
    expect(seen['migrations']).toEqual(found('fail', /nothing listens there.*LLMRING_DATABASE_DIRECT_URL/))
  })

  it('a server that takes connections and never answers is given up', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const address = mute.address()
    const port = typeof address === 'object' ? address?.port : 0
    const seen = await findings({ LLMRING_DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/x` })
    mute.close()
    for (const name of ['database', 'migrations', 'notifications', 'connections', 'clock']) {
      expect(seen[name]).toMatchObject({ status: 'fail' })
    }
    expect(seen['registry']).toMatchObject({ status: 'ok' })
  })
})

describe('a database', () => {
  it('that was not migrated gets a warning and stays as it was', async () => {
    const empty = await cloneDatabase()
    await withSql(empty.url, (sql) => sql`drop schema llmring cascade`)
    const seen = await findings({ LLMRING_DATABASE_URL: empty.url })
    expect(seen).toMatchObject({ database: { status: 'ok' }, migrations: found('warn', /pending: 0001_\w+\.sql/) })
    const schemas = await withSql(empty.url, (sql) => sql`select 1 from pg_namespace where nspname = 'llmring'`)
    expect(schemas.length).toBe(0)
    await empty.drop()
  })

  it('whose migrations were other ones fails', async () => {
    const strange = await cloneDatabase()
    await withSql(strange.url, (sql) => sql`update schema_migrations set sha256 = 'x' where version = 1`)
    const { migrations } = await findings({ LLMRING_DATABASE_URL: strange.url })
    expect(migrations).toEqual(found('fail', /0001_\w+\.sql was applied with other contents/))
    await strange.drop()
  })

  it('refuses a password without anybody seeing it', async () => {
    const url = new URL(database.url)
    url.password = 'wrong-secret'
    const report = JSON.stringify(await findings({ LLMRING_DATABASE_URL: url.href }))
    // A server that trusts loopback lets anybody in; what matters is that the word is nowhere.
    expect(report).not.toContain('wrong-secret')
  })

  it('whose clock is ten seconds behind ours gets a warning', async () => {
    const { clock } = await findings({}, () => Date.now() + 10_000)
    expect(clock).toEqual(found('warn', /(9|10)\.\d s behind ours/))
  })

  it('that is not the one that is listened to fails', async () => {
    const other = await cloneDatabase()
    const direct = { url: other.url, schema: 'llmring', prepare: true, pooled: false }
    await withSql(database.url, (sql) =>
      expect(echoNotification(sql, direct, 100)).rejects.toThrow('longer than 100 ms'),
    )
    await withSql(other.url, (sql) => echoNotification(sql, direct, 10_000))
    await other.drop()
  })
})

describe('the registry', () => {
  it('fails where one provider’s file is not one, and names it', async () => {
    await origin.fail('html', 'openai/')
    const { registry } = await findings({ LLMRING_REGISTRY_BUNDLED: 'false' })
    expect(registry).toEqual(found('fail', /anthropic@\d+.*openai: not loaded \(it is not JSON\)$/))
  })
})

describe('without a network', () => {
  it('the registry gets a warning that names the bundled copy', async () => {
    await origin.fail('refused')
    const { registry } = await findings({})
    expect(registry).toEqual(found('warn', /openai: not loaded \(.*ECONNREFUSED\).*bundled copy of 2026-08-18$/))
  })
})

describe('keys', () => {
  const other = Buffer.alloc(32, 1).toString('base64url')

  it('that do not match fail without being shown', async () => {
    const pair = {
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: other,
      LLMRING_RECEIPTS_PUBLIC_KEY_B64: PUBLIC_KEY,
      ...LOG_KEYS,
    }
    const { keys } = await findings(pair)
    expect(keys).toEqual(found('fail', /is not the public key of/))
    expect(keys?.detail).not.toContain(other)
  })

  it('that only verify, or do not exist, get a warning', async () => {
    const { keys } = await findings({ LLMRING_RECEIPTS_PUBLIC_KEY_B64: PUBLIC_KEY })
    expect(keys).toEqual(found('warn', new RegExp(`verified with key ${KEY_ID} and not issued; no key pepper`)))
    expect((await findings({}))['keys']).toEqual(found('warn', /not issued: no private key/))
  })
})

describe.skipIf(REDIS_MISSING !== null)(`redis (${REDIS_MISSING ?? 'running'})`, () => {
  it('is asked for its version, and fails where it is away or refuses the password', async () => {
    const redis = await startRedis()
    expect((await findings({ LLMRING_REDIS_URL: redis.url }))['redis']).toEqual(found('ok', /^Redis \d+\.\d+.*, 127/))
    const stranger = new URL(redis.url)
    stranger.password = 'wrong-secret'
    const refused = (await findings({ LLMRING_REDIS_URL: stranger.href }))['redis']
    expect(refused).toMatchObject({ status: 'fail' })
    expect(refused?.detail).not.toContain('wrong-secret')
    await redis.close()
    expect((await findings({ LLMRING_REDIS_URL: redis.url }))['redis']).toEqual(found('fail', /ECONNREFUSED/))
  })
})

describe('an embedded database', () => {
  const embedded = (dataDir: string) =>
    diagnose(configOf({ LLMRING_DATA_DIR: dataDir, LLMRING_REGISTRY_BASE_URL: origin.url }))

  it('is started for the duration, and a secret that others can read fails', async () => {
    const dataDir = join(directory, 'alone')
    const report = await embedded(dataDir)
    expect(report.ok).toBe(true)
    expect(report.checks.map(({ name, status }) => `${status} ${name}`)).toContain('warn migrations')
    expect(report.checks.find(({ name }) => name === 'disk')?.detail).toMatch(/GiB \(\d+ %\) free in .*cluster$/)
    await expect(
      openEmbedded({ dataDir, mode: 'own', log: () => undefined }).then(({ close }) => close()),
    ).resolves.toBe(undefined)

    await writeFile(join(dataDir, 'receipts-key'), `${PRIVATE_KEY}\n`, { mode: 0o644 })
    const exposed = await embedded(dataDir)
    expect(exposed.ok).toBe(false)
    expect(exposed.checks.find(({ name }) => name === 'disk')).toMatchObject(found('fail', /receipts-key: chmod 600/))
    expect(exposed.checks.find(({ name }) => name === 'keys')).toMatchObject(found('ok', new RegExp(KEY_ID)))
    expect((await readdir(dataDir)).filter((name) => name.startsWith('doctor-'))).toEqual([])
  })

  it('of a running service is borrowed and left running', async () => {
    const dataDir = join(directory, 'shared')
    const service = await openEmbedded({ dataDir, mode: 'own', log: () => undefined })
    expect((await embedded(dataDir)).ok).toBe(true)
    expect(await withSql(service.url, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
    await service.close()
  })
})
