import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'

const BINDINGS = '[[profiles.default.bindings]]\nalias = "a"\nmodels = ["openai:gpt-4o"]\n'

let database: TestDatabase
let one: RunningService
let directory: string
let path: string
let key: string
let projects = 0

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await one.close()
  await database.drop()
})
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'llmring-lock-')))
  path = join(directory, 'llmring.lock')
  key = `team-${++projects}`
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const run = (args: string, environment: Record<string, string> = {}) =>
  runCommand(args.split(' '), {
    ...{ LLMRING_LOCKFILE_PATH: path, LLMRING_SERVER_URL: one.url, LLMRING_PROJECT_KEY: key },
    ...environment,
  })
const text = () => readFile(path, 'utf8')
const bind = (json: unknown) => one.call('/api/v1/aliases/bind', { key, json })

describe('lock push', () => {
  it('gives a lockfile without times the ones it was published with, and keeps its permissions', async () => {
    await writeFile(path, BINDINGS, { mode: 0o600 })
    const dry = await run('lock push --dry-run --json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ dry_run: true, diff: { added: [{ alias: 'a' }] } })
    expect(await text()).toBe(BINDINGS)
    expect(await run('lock push')).toMatchObject({ code: 0, stderr: '' })
    expect(await text()).toMatch(/^created_at = "/m)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const kept = await text()
    expect((await run('lock push')).stdout).toMatch(/^Nothing to change/)
    expect(await text()).toBe(kept)
  })

  it('changes nothing if something changed after the revision that was expected', async () => {
    await writeFile(path, BINDINGS)
    await bind({ alias: 'b', model: 'openai:gpt-4o' })
    await bind({ alias: 'c', model: 'openai:gpt-4o' })
    const late = await run('lock push --expected-revision 1')
    expect(late).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('status 412') })
    expect(await run('lock push --expected-revision 2')).toMatchObject({ code: 0 })
  })

  it('publishes one profile and leaves the others', async () => {
    await writeFile(path, `${BINDINGS}[[profiles.prod.bindings]]\nalias = "p"\nmodels = ["openai:gpt-4o"]\n`)
    await bind({ alias: 'kept', model: 'openai:gpt-4o' })
    expect((await run('lock push --profile prod')).stdout).toMatch(/^\+ p → openai:gpt-4o\nRevision 2\.\n/)
    expect((await run('lock diff --profile prod')).code).toBe(0)
    expect(await run('lock diff')).toMatchObject({
      code: 1,
      stdout: '+ a → openai:gpt-4o\n- kept (was openai:gpt-4o)\n',
    })
  })

  it('says what is wrong with a lockfile before anything is sent', async () => {
    await writeFile(path, BINDINGS.replace('openai:', ''))
    expect(await run('lock push', { LLMRING_SERVER_URL: 'http://127.0.0.1:9' })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/bindings\/0\/models\/0: 'gpt-4o' names no provider; write it as/),
    })
  })
})

describe('lock pull', () => {
  it('replaces the lockfile; with --merge what only it binds stays', async () => {
    await writeFile(path, BINDINGS)
    await bind({ alias: 'b', models: ['openai:gpt-4o-mini', 'google:gemini-2.5-pro'] })
    expect((await run('lock pull --merge')).stdout).toMatch(/^\+ b → openai:gpt-4o-mini, google:gemini-2\.5-pro\n/)
    expect((await run('aliases')).stdout).toBe('a → openai:gpt-4o\nb → openai:gpt-4o-mini (+ 1 fallback)\n')
    expect((await run('lock pull')).stdout).toMatch(/^- a \(was openai:gpt-4o\)\n/)
    expect((await run('aliases')).stdout).toBe('b → openai:gpt-4o-mini (+ 1 fallback)\n')
    expect((await run('lock pull')).stdout).toContain('is up to date')
  })

  it('opens an earlier state by the digest that a push told', async () => {
    await writeFile(path, BINDINGS)
    const { digest } = JSON.parse((await run('lock push --json')).stdout)
    const first = await text()
    await run('bind a openai:gpt-4o-mini')
    await run('lock push')
    expect(await run(`lock pull --digest ${digest}`)).toMatchObject({ code: 0 })
    expect((await run('aliases')).stdout).toBe('a → openai:gpt-4o\n')
    expect((await text()).replaceAll(/\s/g, '')).toBe(first.replaceAll(/\s/g, ''))
  })

  it('takes over one profile, as JSON where the name says so', async () => {
    await writeFile(path, BINDINGS)
    await bind({ alias: 'p', profile: 'prod', model: 'openai:gpt-4o' })
    await bind({ alias: 'd', model: 'openai:gpt-4o' })
    await run('lock pull --profile prod')
    expect((await run('aliases')).stdout).toBe('a → openai:gpt-4o\n')
    expect((await run('aliases --profile prod')).stdout).toBe('p → openai:gpt-4o\n')
    const json = join(directory, 'llmring.json')
    await run(`lock pull --file ${json}`)
    expect(JSON.parse(await readFile(json, 'utf8')).profiles.default.bindings).toMatchObject([{ alias: 'd' }])
  })

  it('leaves the lockfile as it is where nothing is published, or the server is away', async () => {
    await writeFile(path, BINDINGS)
    expect(await run('lock pull')).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was ever bound') })
    const away = await run('lock pull', { LLMRING_SERVER_URL: 'http://127.0.0.1:9' })
    expect(away).toMatchObject({ code: 1, stderr: 'http://127.0.0.1:9 cannot be reached.\n' })
    expect(await text()).toBe(BINDINGS)
  })
})

describe('lock bump-registry', () => {
  it('pins what the server has, never an older version, and says which providers it does not know', async () => {
    await writeFile(path, `${BINDINGS}[profiles.default.registry_versions]\ngoogle = 999\nopenai = 1\nollama = 3\n`)
    const bumped = await run('lock bump-registry')
    expect(bumped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^default: openai 1 → \d+\n$/) })
    expect(bumped.stderr).toMatch(/google stays at 999[\s\S]*ollama is not in the registry/)
    expect(await text()).toMatch(/google = 999\nollama = 3\nopenai = ([2-9]|\d\d)\n/)
  })

  it('is an error where the server does not answer, and pins nothing', async () => {
    await writeFile(path, BINDINGS)
    expect(await run('lock bump-registry', { LLMRING_SERVER_URL: 'http://127.0.0.1:9' })).toMatchObject({ code: 1 })
    expect(await text()).toBe(BINDINGS)
  })
})

describe('commands on a server', () => {
  it.each(['push', 'pull', 'diff', 'check', 'watch', 'bump-registry', 'promote a b', 'rollback 1'])(
    'say what is not set, with 78: lock %s',
    async (command) => {
      await writeFile(path, BINDINGS)
      for (const name of ['LLMRING_SERVER_URL', 'LLMRING_PROJECT_KEY']) {
        expect(await run(`lock ${command}`, { [name]: '' })).toMatchObject({
          code: 78,
          stdout: '',
          stderr: expect.stringContaining(name),
        })
      }
    },
  )

  it('take LLMRING_API_KEY as well, and never print a key', async () => {
    await writeFile(path, BINDINGS)
    const pushed = await run('lock push', { LLMRING_PROJECT_KEY: '', LLMRING_API_KEY: key })
    expect(pushed).toMatchObject({ code: 0 })
    const refused = await run('lock push', { LLMRING_PROJECT_KEY: 'lrk_a-secret-that-is-unknown' })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('status 401') })
    expect(refused.stderr).not.toContain('a-secret')
  })
})
