import { spawnSync } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROLE_MEANINGS, ROLES } from '../../src/access/principal.js'
import { findBundle } from '../../src/cli/bundle.js'
import { withSql } from '../fixtures/filled-database.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { MAIN, runProgram, startProgram, temporaryDirectory } from '../support/program.js'
import { openShell } from '../support/terminal.js'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let database: TestDatabase
beforeAll(async () => {
  database = await cloneDatabase()
  directory = await temporaryDirectory()
})
afterAll(async () => {
  await database.drop()
  await directory.remove()
})

const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  runProgram(args, directory.path, environment)

describe('llmring-server', () => {
  it('starts from its bundle, which was made of what is compiled', () => {
    expect(findBundle(new URL('.', pathToFileURL(MAIN)))).toBeDefined()
  })

  it('says its version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  it('explains itself with --help', async () => {
    const help = await run(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: llmring-server') })
  })

  it.each([
    ['serve'],
    ['migrate'],
    ['keys'],
    ['keys', 'create'],
    ['keys', 'list'],
    ['keys', 'revoke'],
    ['projects', 'list'],
    ['doctor'],
    ['config'],
    ['dump'],
    ['restore'],
    ['registry'],
    ['registry', 'import'],
    ['registry', 'backfill'],
    ['witness'],
    ['monitor'],
  ])('explains %s %s with --help', async (...args) => {
    const help = await runCommand([...args, '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain(`Usage: llmring-server ${args.join(' ')}`)
  })

  it.each([[['sevre']], [['serve', '--prot', '1']], [['keys', 'create', '--role', 'king']]])(
    'refuses %j, and shows the help',
    async (args) => {
      const refused = await runCommand(args)
      expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error:[\s\S]*Usage:/) })
    },
  )

  it('ends with 1 after a command that is none', async () => {
    expect(await run(['sevre'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error:/) })
  })

  it('leaves no half-made dump behind where the configuration is wrong', async () => {
    const refused = await run(['dump', 'backup.dump'], { LLMRING_PORT: 'eighty' })
    expect(refused).toMatchObject({ code: 78, stdout: '' })
    expect((await readdir(directory.path)).filter((name) => name.startsWith('backup.dump'))).toEqual([])
  })

  it('ends without a word where what reads its output is gone', async () => {
    const program = startProgram(['config'], directory.path)
    program.child.stdout?.destroy()
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
  })

  it('prints all faults of the environment together, without their values, and exits with 78', async () => {
    const refused = await run(['serve'], {
      LLMRING_PORT: 'eighty',
      LLMRING_PROJECTS: 'ajar',
      LLMRING_ADMIN_KEY: 'too short',
      LLMRING_DATABASE_URL: 'mysql://root:hunter2@db/x',
    })
    expect(refused.code).toBe(78)
    for (const name of ['LLMRING_PORT', 'LLMRING_PROJECTS', 'LLMRING_ADMIN_KEY', 'LLMRING_DATABASE_URL']) {
      expect(refused.stderr).toContain(name)
    }
    expect(refused.stderr).not.toMatch(/hunter2|eighty|ajar/)
  })

  it('ends with 78 if its working directory is gone, since a .env in it would be passed over', () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" config'
    const ended = spawnSync('sh', ['-c', script, process.execPath, MAIN], { cwd: directory.path, encoding: 'utf8' })
    expect(ended).toMatchObject({
      status: 78,
      stdout: '',
      stderr: expect.stringContaining('working directory is gone'),
    })
  })

  it('refuses a pair of receipt keys that does not match with 78', async () => {
    const key = (byte: number) => Buffer.alloc(32, byte).toString('base64url')
    const refused = await run(['serve'], {
      LLMRING_PORT: '0',
      LLMRING_RECEIPTS_PRIVATE_KEY_B64: key(1),
      LLMRING_RECEIPTS_PUBLIC_KEY_B64: key(2),
    })
    expect(refused.code).toBe(78)
    expect(refused.stderr).not.toContain(key(1))
  })

  it('shows the effective configuration with secrets hidden', async () => {
    const secrets = {
      LLMRING_ADMIN_KEY: 'an-admin-key-of-some-length',
      LLMRING_KEY_PEPPER: 'a-pepper-of-some-length',
      LLMRING_DATABASE_URL: 'postgres://u:hunter2@db/x',
    }
    for (const args of [['config'], ['config', '--json']]) {
      const shown = await run(args, { ...secrets, LLMRING_PORT: '8123', LLMRING_TYPO: 'x' })
      expect(shown.code).toBe(0)
      expect(shown.stdout).toMatch(
        /LLMRING_PORT(=8123 +\(environment\)|",\s+"value": "8123",\s+"source": "environment")/,
      )
      expect(shown.stdout).toMatch(/LLMRING_PROJECTS(=open +\(default\)|",\s+"value": "open",\s+"source": "default")/)
      expect(shown.stdout).toMatch(/hidden/)
      expect(shown.stdout).toMatch(
        /LLMRING_HOST(=0\.0\.0\.0 +\(derived\)|",\s+"value": "0\.0\.0\.0",\s+"source": "derived")/,
      )
      expect(shown.stdout).toMatch(
        /LLMRING_DATABASE_DIRECT_URL(=\[hidden\] +\(derived\)|",\s+"value": "\[hidden\]",\s+"source": "derived")/,
      )
      expect(shown.stdout + shown.stderr).not.toMatch(/hunter2|an-admin-key|a-pepper/)
      expect(shown.stderr).toMatch(/LLMRING_TYPO/)
    }
  })

  it('shows what follows from the private keys, as derived: the public key, its id, the issuer and the guard', async () => {
    const privateKey = Buffer.alloc(32, 1).toString('base64url')
    const logKey = Buffer.alloc(32, 2).toString('base64url')
    const keys = { LLMRING_RECEIPTS_PRIVATE_KEY_B64: privateKey, LLMRING_TLOG_PRIVATE_KEY_B64: logKey }
    const { stdout } = await run(['config', '--json'], keys)
    const settings: { name: string; value: string; source: string }[] = JSON.parse(stdout).settings
    const derived = settings.filter(({ source }) => source === 'derived').map(({ name, value }) => [name, value])
    expect(Object.fromEntries(derived)).toEqual({
      LLMRING_HOST: '127.0.0.1',
      LLMRING_RECEIPTS_PUBLIC_KEY_B64: 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w',
      LLMRING_RECEIPTS_KEY_ID: expect.stringMatching(/^[\w-]{43}$/),
      LLMRING_TLOG_ORIGIN: expect.stringMatching(/^llmring\.local\/[0-9a-f]{8}$/),
      LLMRING_TLOG_GUARD: expect.stringMatching(/^file:.*tlog-guard$/),
    })
    for (const key of [privateKey, logKey]) expect(stdout).not.toContain(key)
  })

  it.skipIf(process.platform !== 'linux').each(['64', '150'])(
    'refuses to start with %s open files, with 78 and what to change',
    async (files) => {
      const limited = openShell(`ulimit -n ${files}; exec "$0" "$1" serve`, directory.path, {}, [
        process.execPath,
        MAIN,
      ])
      const { code, stderr } = await limited.ended
      expect(code).toBe(78)
      expect(stderr).toMatch(new RegExp(`^This process may have only ${files} files open.*ulimit -n \\d+.*\n$`))
    },
  )

  it('says what to change where the port is taken, before anything is started, and where a number is none', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = String(typeof address === 'object' ? address?.port : 0)
    const environment = {
      LLMRING_HOST: '127.0.0.1',
      LLMRING_PORT: port,
      LLMRING_DATA_DIR: join(directory.path, 'unused'),
    }
    const refused = await run(['serve'], environment)
    taken.close()
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is taken .* LLMRING_PORT .*\\n$`))
    await expect(stat(join(directory.path, 'unused'))).rejects.toMatchObject({ code: 'ENOENT' })
    const wrong = await run(['serve'], { LLMRING_PORT: '1e3', LLMRING_USAGE_LANES: '0' })
    expect(wrong.stderr).toContain('LLMRING_PORT: must be a whole number from 0 to 65535\n')
    expect(wrong.stderr).toContain('LLMRING_USAGE_LANES: must be a whole number from 1 to 64\n')
  })

  it('explains the roles where a key is made, and refuses a name that would not show as one', async () => {
    const { stdout } = await runCommand(['keys', 'create', '--help'])
    for (const role of ROLES) expect(stdout).toContain(`${role.padEnd(6)} ${ROLE_MEANINGS[role]}`)
    const url = { LLMRING_DATABASE_URL: database.url }
    for (const name of ['', '  ', 'a\u001b[2Jb', 'a\nb', 'x'.repeat(256)]) {
      const refused = await runCommand(['keys', 'create', '--name', name], url)
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--name must have 1 to 255 characters'),
      })
    }
    expect((await runCommand(['projects', 'list'], url)).stdout).toBe('There are no projects.\n')
    expect(await runCommand(['keys', 'create', '--name', 'Billing', '--role', 'log'], url)).toMatchObject({ code: 0 })
    const [project] = JSON.parse((await runCommand(['projects', 'list', '--json'], url)).stdout).projects
    expect(project).toMatchObject({ name: 'Billing', origin: 'made' })
    expect((await runCommand(['projects', 'list'], url)).stdout).toContain(`${project.id}  `)
    expect((await runCommand(['keys', 'list'], url)).stdout).toContain(`project ${project.id} Billing  `)
  })

  it('says what a data directory lacks that can never be made, and ends', async () => {
    const refused = await run(['serve'], { LLMRING_PORT: '0', LLMRING_DATA_DIR: '/proc/nope' })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^The data directory \/proc\/nope cannot be made .*LLMRING_DATA_DIR.*\n$/)
  })

  it('lists every key, however many there are', async () => {
    await withSql(
      database.url,
      (sql) => sql`
      insert into llmring.project_keys (id, project_id, key_hash, pepper_id, prefix, role)
      select gen_random_uuid(), gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), 'none', 'x', 'read'
      from generate_series(1, 10001)`,
    )
    const { stdout } = await runCommand(['keys', 'list', '--json'], { LLMRING_DATABASE_URL: database.url })
    const ids: string[] = JSON.parse(stdout).keys.map(({ id }: { id: string }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(10_000)
  })

  it('says in one line that the database is away', async () => {
    const refused = await run(['keys', 'list'], { LLMRING_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:9/x' })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /^Database 127\.0\.0\.1:9\/x, user u: nothing listens there.*LLMRING_DATABASE_URL\.\n$/,
    )
    expect(refused.stderr).not.toMatch(/hunter2/)
  }, 90_000)
})
