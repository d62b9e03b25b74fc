import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  type Program,
  runProgram,
  type ServedProgram,
  serveProgram,
  startProgram,
  stopProgram,
  temporaryDirectory,
} from '../support/program.js'

let database: TestDatabase
let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let service: ServedProgram
let watching: Program | undefined
let watched: Program | undefined
/** Two people's working directories. */
let here: string
let elsewhere: string

const serve = (port = '0') => {
  return serveProgram(directory.path, { LLMRING_DATABASE_URL: database.url, LLMRING_PORT: port })
}
const settings = () => ({
  ...{ LLMRING_SERVER_URL: service.url, LLMRING_PROJECT_KEY: 'a-team' },
  LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/',
})
/** What a command prints, in `here` unless it is told where; throws unless it ends with `code`. */
async function run(command: string, cwd = here, code = 0): Promise<string> {
  const ended = await runProgram(command.split(' '), cwd, settings())
  if (ended.code !== code) throw new Error(`${command} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`)
  return ended.stdout
}
const lockfile = (cwd: string) => readFile(join(cwd, 'llmring.lock'), 'utf8')

beforeAll(async () => {
  database = await cloneDatabase()
  directory = await temporaryDirectory()
  here = join(directory.path, 'here')
  elsewhere = join(directory.path, 'elsewhere')
  for (const path of [here, elsewhere]) await mkdir(path)
  service = await serve()
})
afterAll(async () => {
  for (const program of [watching, watched, service]) if (program !== undefined) await stopProgram(program, 'SIGKILL')
  await database.drop()
  await directory.remove()
})

describe('the life of a lockfile', () => {
  it('begins with init and bind, and is published by a push', async () => {
    expect(await run('lock init')).toMatch(/^Made .*llmring\.lock:\nsummarizer → openai:\S+ \(\+ 2 fallbacks\)\n/)
    await run('bind summarizer openai:gpt-4o-mini,google:gemini-2.5-pro --profile staging')
    expect(await run('lock push --note first')).toMatch(
      /\+ staging\/summarizer [\s\S]*\nRevision 1\.\nDigest [0-9a-f]{64}\.\n$/,
    )
  })

  it('is promoted from one profile to another, and pulled elsewhere', async () => {
    expect(await run('lock promote staging prod')).toMatch(/^\+ summarizer .*\nRevision 2\.\n$/)
    expect(await run('lock pull', elsewhere)).toMatch(/llmring\.lock is written\. Digest [0-9a-f]{64}\.\n$/)
    expect(await run('aliases --profile prod', elsewhere)).toBe('summarizer → openai:gpt-4o-mini (+ 1 fallback)\n')
  })

  it('is kept current elsewhere, also over a restart of the server', async () => {
    watching = startProgram(['lock', 'watch'], elsewhere, settings())
    const { stderr } = watching
    await eventually(() => expect(stderr()).toContain('Following'))
    // Not offered any more.
    await run('bind old openai:o1-mini')
    await run('lock push')
    await eventually(async () => expect(await lockfile(elsewhere)).toContain('"old"'))
    expect(await run('lock check', here, 1)).toBe('default: openai:o1-mini inactive (old)\n')

    await stopProgram(service)
    await eventually(() => expect(stderr()).toContain('cannot be reached'))
    expect(await lockfile(elsewhere)).toContain('"old"')
    service = await serve(new URL(service.url).port)
    expect(await run('lock rollback 2')).toMatch(/^- default\/old [\s\S]*\nRevision 4\.\n$/m)
    await eventually(async () => expect(await lockfile(elsewhere)).not.toContain('"old"'), 40_000)
    expect(await run('lock check')).toBe('No model has drifted.\n')

    const ended = await stopProgram(watching)
    expect(ended).toMatchObject({ code: 0, signal: null })
    expect(ended.stdout.trim().split('\n')).toHaveLength(2)
  })

  it('ends a watch that the server refuses for good', async () => {
    watched = startProgram(['lock', 'watch'], elsewhere, { ...settings(), LLMRING_PROJECT_KEY: 'lrk_unknown' })
    expect(await watched.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('status 401') })
  })
})
