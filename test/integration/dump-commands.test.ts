import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { dumpCommand } from '../../src/cli/dump.js'
import { restoreCommand } from '../../src/cli/restore.js'
import { openEmbedded } from '../../src/db/embedded/open-embedded.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { fill, fingerprint, withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let source: TestDatabase
let directory: string
const said = { out: '', err: '' }

beforeAll(async () => {
  source = await cloneDatabase()
  await withSql(source.url, fill)
  directory = await mkdtemp(join(tmpdir(), 'llmring-dump-'))
  await chmod(directory, 0o755)
})
beforeEach(() => {
  Object.assign(said, { out: '', err: '' })
  const hear = (on: 'out' | 'err') => (text: string | Uint8Array) => {
    said[on] += String(text)
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(hear('out'))
  vi.spyOn(process.stderr, 'write').mockImplementation(hear('err'))
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await source.drop()
  await rm(directory, { recursive: true, force: true })
})

/** Runs a command as the program does, and says what it would exit with. */
async function run(
  command: 'dump' | 'restore',
  args: readonly string[],
  environment: Record<string, string>,
): Promise<number> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  await (command === 'dump' ? dumpCommand() : restoreCommand()).parseAsync([...args], { from: 'user' })
  const exitCode = Number(process.exitCode ?? 0)
  process.exitCode = undefined
  return exitCode
}

describe('dump and restore', () => {
  it('go from one database to another through a file that only its owner reads, with equal summaries', async () => {
    const target = await cloneDatabase()
    const file = join(directory, 'one.dump')
    expect(await run('dump', [file, '--json', '--progress'], { LLMRING_DATABASE_URL: source.url })).toBe(0)
    const summary = JSON.parse(said.out)
    expect(summary).toMatchObject({ tables: { aliases: 7, usage_logs: 100 }, bytes: (await stat(file)).size })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(said.err).toMatch(/^usage_logs +100 rows +\d+\.\d kB$/m)

    said.out = ''
    expect(await run('restore', [file, '--json'], { LLMRING_DATABASE_URL: target.url })).toBe(0)
    expect(JSON.parse(said.out)).toEqual(summary)
    expect(await withSql(target.url, fingerprint)).toEqual(await withSql(source.url, fingerprint))

    Object.assign(said, { out: '', err: '' })
    expect(await run('restore', [file], { LLMRING_DATABASE_URL: target.url })).toBe(1)
    expect(said).toEqual({ out: '', err: expect.stringMatching(/^The database is not empty: [^\n]*\n$/) })
    await target.drop()
  })

  it('say in one line what is wrong, end with 1 and leave nothing behind', async () => {
    const away = { LLMRING_DATABASE_URL: 'postgres://u:hidden-word@127.0.0.1:9/x' }
    const before = await readdir(directory)
    expect(await run('dump', [join(directory, 'away.dump')], away)).toBe(1)
    expect(await run('restore', [join(directory, 'nothing')], away)).toBe(1)
    expect(said.out).toBe('')
    expect(said.err).toMatch(/^[^\n]*ECONNREFUSED[^\n]*\n[^\n]*ENOENT[^\n]*\n$/)
    expect(said.err).not.toContain('hidden-word')
    expect(await readdir(directory)).toEqual(before)
  })

  it('leave the embedded database of a running service: it can be dumped, and is not restored into', async () => {
    const environment = { LLMRING_DATA_DIR: join(directory, 'data') }
    const file = join(directory, 'embedded.dump')
    const service = await openEmbedded({ dataDir: environment.LLMRING_DATA_DIR, mode: 'own', log: () => undefined })
    const migrations = await readMigrations()
    await withSql(service.url, (sql) => migrate(sql, 'llmring', migrations))
    expect(await run('dump', [file], environment)).toBe(0)
    expect(said.out).toMatch(/^Dumped \d+ tables, 0 rows, \d\.\d kB\.\n$/)
    expect(await run('restore', [file], environment)).toBe(75)
    expect(said.err).toMatch(/in use by another llmring-server/)
    await service.close()

    expect(await run('dump', [join(directory, 'stopped.dump')], environment)).toBe(0)
    expect(await run('restore', [file], environment)).toBe(0)
  })
})
