import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withSql } from '../fixtures/filled-database.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { LOG_ORIGIN, LOG_SEED, newEntry, startLog } from '../support/log-instance.js'
import { runProgram, temporaryDirectory } from '../support/program.js'

let database: TestDatabase
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let guard: string
beforeAll(async () => {
  ;[database, directory] = await Promise.all([cloneDatabase(), temporaryDirectory()])
  guard = join(directory.path, 'tlog-guard')
  const instance = await startLog({ url: database.url, guard: { kind: 'file', path: guard } })
  const entries = Array.from({ length: 300 }, newEntry)
  await instance.append(entries)
  expect(await instance.log.waitLogged(entries[299] ?? newEntry(), 20_000)).toBe(true)
  await instance.close()
})
afterAll(async () => {
  await directory.remove()
  await database.drop()
})

const KEYS = {
  LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.from(LOG_SEED).toString('base64url'),
  LLMRING_TLOG_ORIGIN: LOG_ORIGIN,
}
const settings = (environment: Record<string, string> = {}) => ({
  LLMRING_DATABASE_URL: database.url,
  LLMRING_TLOG_GUARD: `file:${guard}`,
  ...KEYS,
  ...environment,
})
/** The built program, with each command once. */
const start = (args: readonly string[], environment: Record<string, string> = {}) =>
  runProgram(args, directory.path, settings(environment))
const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  runCommand(args, settings(environment))

describe('llmring-server fsck', () => {
  it('says in words and in JSON that a log is whole', async () => {
    const words = await start(['fsck'])
    expect(words).toMatchObject({ code: 0, stderr: '' })
    expect(words.stdout).toMatch(/^All is well: 300 entries, 3 tiles, \d+ checkpoints, 0 receipts\.\n$/)
    const json = await run(['fsck', '--json', '--progress'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, entries: 300, tiles: 3, findings: [], faults: 0 })
  })

  it('without a key says that it verified no signature', async () => {
    const none = { LLMRING_TLOG_PRIVATE_KEY_B64: '', LLMRING_TLOG_GUARD: '' }
    expect((await run(['fsck'], none)).stdout).toContain('signatures were not verified')
  })

  it('names what is wrong, line by line, and ends with 1', async () => {
    const replace = (from: string, to: string) =>
      withSql(database.url, (sql) => sql`update log_checkpoints set note = replace(note, ${from}, ${to})`)
    await replace('\n300\n', '\n301\n')
    const { code, stdout } = await run(['fsck'])
    await replace('\n301\n', '\n300\n')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^unsigned-checkpoint: .* size 300 /m)
    expect(stdout).toMatch(/^1 faults: 300 entries/m)
  })
})

describe('llmring-server log accept-head', () => {
  it('has nothing to accept where the guard agrees', async () => {
    const { code, stdout } = await run(['log', 'accept-head'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Nothing to accept: the database has 300 entries/)])
  })

  it('shows what would be accepted, does so when told to, and no more than once', async () => {
    const whole = await readFile(guard, 'utf8')
    await writeFile(guard, whole.slice(0, 40))
    const shown = await run(['log', 'accept-head'])
    expect(shown.code).toBe(1)
    expect(shown.stdout).toMatch(/guard-unreadable[\s\S]*accept-head --yes/)
    expect(await readFile(guard, 'utf8')).toBe(whole.slice(0, 40))

    const accepted = await start(['log', 'accept-head', '--yes', '--json'])
    expect(accepted.code).toBe(0)
    expect(JSON.parse(accepted.stdout)).toMatchObject({
      ...{ accepted: true, reason: 'guard-unreadable', head: { size: 300 }, remembered: null },
    })
    expect(await readFile(guard, 'utf8')).toBe(whole)
    const again = await run(['log', 'accept-head', '--yes', '--json'])
    expect(JSON.parse(again.stdout)).toMatchObject({ accepted: false, reason: null })
    const stated = await withSql(database.url, (sql) => sql`select kind from log_statements`)
    expect([...stated]).toEqual([{ kind: 'head-acceptance/v1' }])
  })

  it('says that other guards keep nothing here', async () => {
    const refused = await run(['log', 'accept-head'], { LLMRING_TLOG_GUARD: 'none' })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("The guard is 'none'") })
    const unasked = await start(['log', 'accept-head'], { LLMRING_TLOG_GUARD: 'witness' })
    expect(unasked).toMatchObject({ code: 78, stderr: expect.stringContaining('LLMRING_TLOG_POLICY_FILE') })
    const without = await run(['log', 'accept-head'], { LLMRING_TLOG_PRIVATE_KEY_B64: '', LLMRING_TLOG_GUARD: '' })
    expect(without.code).not.toBe(0)
    expect(without.stderr).toContain('There is no log')
  })
})

describe('llmring-server serve', () => {
  it.each([
    [{ LLMRING_TLOG_ORIGIN: 'log.example/other' }, LOG_ORIGIN],
    [{ LLMRING_TLOG_PRIVATE_KEY_B64: Buffer.alloc(32, 3).toString('base64url') }, 'LLMRING_TLOG_PRIVATE_KEY_B64'],
  ])('refuses another log than the one in the database with 78: %j', async (other, named) => {
    const refused = await start(['serve'], { LLMRING_PORT: '0', ...other })
    expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining(named) })
  })

  it('refuses a key that signs, without a log, with 78', async () => {
    const refused = await start(['serve'], {
      ...{ LLMRING_TLOG_PRIVATE_KEY_B64: '', LLMRING_TLOG_GUARD: '' },
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: Buffer.alloc(32, 7).toString('base64url'),
    })
    expect(refused.code).toBe(78)
    expect(refused.stderr).toMatch(/LLMRING_TLOG_PRIVATE_KEY_B64 and LLMRING_TLOG_GUARD: .*openssl rand/)
  })
})
