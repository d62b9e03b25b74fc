import { spawnSync } from 'node:child_process'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { eventually } from '../support/eventually.js'
import { runProgram, type ServedProgram, serveProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { ROOT } from '../support/readme.js'
import { REGISTRY_FIXTURES } from '../support/registry-origin.js'

/** The service's own logger, as `serve` opens it, and one line. */
const LOG_ONE = `import("${pathToFileURL(join(ROOT, 'dist/platform/logger.js'))}")
  .then(({ createServiceLogger }) => createServiceLogger("info", process.stdout.isTTY))
  .then(({ logger, flush }) => { logger.info({ n: 1 }, "hello"); flush() })`

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let program: ServedProgram

beforeAll(async () => {
  directory = await temporaryDirectory()
  program = await serveProgram(directory.path)
})
afterAll(async () => {
  await stopProgram(program)
  await directory.remove()
})

const event = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1_000_000, output_tokens: 0 }
const claims = { alias: 'a', lock_digest: '', tokens: { input: 1, output: 1 }, cost: { amount: '0.1' } }

describe('the built program without a network', () => {
  it('says what it serves, and prices and signs by it', async () => {
    expect(program.stderr()).toContain('anthropic@9+google@5+openai@7, bundled copy of 2026-08-18 until 127.0.0.1:9')
    const logged = await call(program.url, '/api/v1/log', { json: event })
    expect(logged.json).toMatchObject({ cost_status: 'priced', cost_decimal: '0.150000000000' })
    expect((await call(program.url, '/registry', {})).headers.get('x-registry-source')).toBe('bundled')
    for (const [model, version] of [
      ['google:gemini-2.5-pro', 'google@5'],
      ['a-model-of-our-own', 'anthropic@9+google@5+openai@7'],
    ]) {
      const issued = await call(program.url, '/api/v1/receipts/issue', { json: { ...claims, model } })
      expect(issued.json).toMatchObject({ registry_version: version })
    }
  })

  it('takes an import while it runs, and goes on with it after a restart', async () => {
    await cp(REGISTRY_FIXTURES, join(directory.path, 'copy'), { recursive: true })
    const refused = await runProgram(['registry', 'import', 'copy'], directory.path)
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('openai@2, and openai@7 is known'),
    })
    for (const provider of ['anthropic', 'google', 'openai']) {
      const path = join(directory.path, 'copy', provider, 'models.json')
      const file = JSON.parse(await readFile(path, 'utf8')) as object
      await writeFile(path, JSON.stringify({ ...file, version: 50 }))
    }
    const imported = await runProgram(['registry', 'import', 'copy'], directory.path)
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining('Imported openai@50 (7 before)') })
    await eventually(async () => {
      const { headers, json } = await call(program.url, '/registry', {})
      expect([headers.get('x-registry-source'), json.version]).toEqual(['origin', 'anthropic@50+google@50+openai@50'])
    }, 60_000)
    await stopProgram(program)
    const warnings = program
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"'))
    expect(warnings).toEqual([expect.stringContaining('the registry could not be refreshed')])
    program = await serveProgram(directory.path)
    expect(program.stderr()).toContain('anthropic@50+google@50+openai@50, refreshed from 127.0.0.1:9')
  }, 120_000)
})

const SCRIPT_MISSING = spawnSync('script', ['--version']).status !== 0

it.skipIf(SCRIPT_MISSING)('the log is text where standard output is a terminal', async () => {
  const read = spawnSync('script', ['-qec', `${process.execPath} -e '${LOG_ONE}'`, '/dev/null'], { encoding: 'utf8' })
  expect(read.stdout).toMatch(/\[\d\d:\d\d:\d\d\].*INFO.*hello.*"n":1/s)
  expect(read.stdout).not.toContain('"level"')
  const piped = spawnSync(process.execPath, ['-e', LOG_ONE], { encoding: 'utf8' })
  expect(JSON.parse(piped.stdout)).toMatchObject({ level: 'info', msg: 'hello', n: 1 })
})
