import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../src/db/embedded/open-embedded.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { fill, fingerprint, withSql } from '../fixtures/filled-database.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let source: TestDatabase
let directory: string

beforeAll(async () => {
  source = await cloneDatabase()
  await withSql(source.url, fill)
  directory = await mkdtemp(join(tmpdir(), 'llmring-dump-'))
  await chmod(directory, 0o755)
})
afterAll(async () => {
  await source.drop()
  await rm(directory, { recursive: true, force: true })
})

describe('dump and restore', () => {
  it('go from one database to another through a file that only its owner reads, with equal summaries', async () => {
    const target = await cloneDatabase()
    const file = join(directory, 'one.dump')
    const dumped = await runCommand(['dump', file, '--json', '--progress'], { LLMRING_DATABASE_URL: source.url })
    expect(dumped.code).toBe(0)
    const summary = JSON.parse(dumped.stdout)
    expect(summary).toMatchObject({ tables: { aliases: 7, usage_logs: 100 }, bytes: (await stat(file)).size })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(dumped.stderr).toMatch(/^usage_logs +100 rows +\d+\.\d kB$/m)

    const into = { LLMRING_DATABASE_URL: target.url }
    const restored = await runCommand(['restore', file, '--json'], into)
    expect([restored.code, JSON.parse(restored.stdout)]).toEqual([0, summary])
    expect(await withSql(target.url, fingerprint)).toEqual(await withSql(source.url, fingerprint))

    const stderr = expect.stringMatching(/^The database is not empty: [^\n]*\n$/)
    expect(await runCommand(['restore', file], into)).toEqual({ code: 1, stdout: '', stderr })
    await target.drop()
  })

  it('say in one line what is wrong, end with 1 and leave nothing behind', async () => {
    const away = { LLMRING_DATABASE_URL: 'postgres://u:hidden-word@127.0.0.1:9/x' }
    const before = await readdir(directory)
    const said = async (args: string[]) => {
      const { stderr, ...rest } = await runCommand(args, away)
      expect(rest).toEqual({ code: 1, stdout: '' })
      expect(stderr).not.toContain('hidden-word')
      return stderr
    }
    expect(await said(['dump', join(directory, 'away.dump')])).toMatch(/^[^\n]*ECONNREFUSED[^\n]*\n$/)
    expect(await said(['restore', join(directory, 'nothing')])).toMatch(/^[^\n]*ENOENT[^\n]*\n$/)
    expect(await readdir(directory)).toEqual(before)
  })

  it('leave the embedded database of a running service: it can be dumped, and is not restored into', async () => {
    const environment = { LLMRING_DATA_DIR: join(directory, 'data') }
    const file = join(directory, 'embedded.dump')
    const service = await openEmbedded({ dataDir: environment.LLMRING_DATA_DIR, mode: 'own', log: () => undefined })
    const migrations = await readMigrations()
    await withSql(service.url, (sql) => migrate(sql, 'llmring', migrations))
    const stdout = expect.stringMatching(/^Dumped \d+ tables, 0 rows, \d\.\d kB\.\n$/)
    expect(await runCommand(['dump', file], environment)).toMatchObject({ code: 0, stdout })
    const stderr = expect.stringMatching(/in use by another llmring-server/)
    expect(await runCommand(['restore', file], environment)).toMatchObject({ code: 75, stderr })
    await service.close()

    expect(await runCommand(['dump', join(directory, 'stopped.dump')], environment)).toMatchObject({ code: 0 })
    expect(await runCommand(['restore', file], environment)).toMatchObject({ code: 0 })
  })
})
