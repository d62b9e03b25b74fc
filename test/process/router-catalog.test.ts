import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command.js'
import { answerJson, startUpstream } from '../support/local-upstream.js'
import { runProgram, serveProgram, stopProgram } from '../support/program.js'
import { placeForPrograms } from '../support/program-place.js'

const WAIT_MS = 120_000
const { directory, databaseUrl } = placeForPrograms()
const catalog = (...args: string[]) => runCommand(['router', 'catalog', ...args])

test('router catalog makes one of the registry that comes with the program, and shows it', {
  timeout: WAIT_MS,
}, async () => {
  const file = join(directory(), 'index.json')
  const build = ['router', 'catalog', 'build', '--providers', 'openai,anthropic', '--include-paid', '--pretty']
  const made = await runProgram([...build, '--output', file], directory())
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toMatch(/index\.json: \d+ models of openai, anthropic; 0 left out/)
  expect(statSync(file).mode & 0o777).toBe(0o644)

  const shown = await catalog('show', file, '--providers', 'anthropic', '--json')
  const { providers, models } = JSON.parse(shown.stdout)
  expect(providers).toEqual(['anthropic'])
  expect(models.length).toBeGreaterThan(3)
  for (const model of models) expect(Object.keys(model.providers)).toEqual(['anthropic'])
  expect((await catalog('show', file)).stdout).toMatch(/\n {2}anthropic:claude\S+ {2}[\d.]+ \/ [\d.]+ USD per million/)

  // None of them is free: the same file is replaced by one without models.
  const again = await catalog('build', '--providers', 'openai,anthropic', '--output', file)
  expect(again.stdout).toMatch(/: 0 models of openai, anthropic; \d\d+ left out that are not known to be free\.\n$/)
  expect(JSON.parse(readFileSync(file, 'utf8')).models).toEqual([])
  expect((await catalog('show', file, '--full')).stdout).toMatch(/^openai lists \d+ models\n {2}\S/)
  expect(readdirSync(directory()).filter((name) => name.includes('index.json'))).toEqual(['index.json'])
})

test('router catalog replaces nothing that is no catalogue, and says what is missing', {
  timeout: WAIT_MS,
}, async () => {
  const file = join(directory(), 'precious.txt')
  writeFileSync(file, 'precious')
  const other = await catalog('build', '--providers', 'openai', '--output', file)
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('is no catalogue; it is not replaced.')])
  expect(readFileSync(file, 'utf8')).toBe('precious')
  const keyless = await catalog('build', '--output', join(directory(), 'none.json'))
  expect(keyless.code).toBe(78)
  for (const name of ['GROQ_API_KEY', 'OPENROUTER_API_KEY', 'NVIDIA_NIM_KEY']) expect(keyless.stderr).toContain(name)
  expect(existsSync(join(directory(), 'none.json'))).toBe(false)
  expect(await catalog('show')).toMatchObject({ code: 78, stderr: expect.stringContaining('MODEL_INDEX_URL') })
})

test('serve runs the gateway from a catalogue at an address, and asks again if that fails', {
  timeout: WAIT_MS,
}, async () => {
  const models = [{ canonical: 'gpt-oss-20b', providers: { groq: { model: 'openai/gpt-oss-20b' } } }]
  let asked = 0
  const publisher = await startUpstream((outgoing) => {
    asked += 1
    return answerJson(outgoing, asked === 1 ? {} : { models }, asked === 1 ? 503 : 200)
  })
  const environment = {
    LLMRING_DATABASE_URL: databaseUrl(),
    LLMROUTER_MODEL_INDEX_URL: `${publisher.url}/index.json`,
    GROQ_API_KEY: 'gsk-planted',
  }
  try {
    const program = await serveProgram(directory(), environment)
    const headers = { 'X-Project-Key': 'catalogue' }
    const listed = (await (await fetch(`${program.url}/v1/models`, { headers })).json()) as { data: { id: string }[] }
    expect(listed.data.map(({ id }) => id)).toEqual(['groq:openai/gpt-oss-20b'])
    expect((await fetch(`${program.url}/v1/models/gpt-oss-20b`, { headers })).status).toBe(200)
    const { stdout, stderr } = await stopProgram(program)
    expect(asked).toBe(2)
    expect(stdout + stderr).not.toContain('gsk-planted')
  } finally {
    await publisher.close()
  }
})

test('serve says why it cannot run from a catalogue', { timeout: WAIT_MS }, async () => {
  const file = join(directory(), 'small.json')
  writeFileSync(file, JSON.stringify({ models: [] }))
  const serve = (index: string, more = {}) =>
    runProgram(['serve'], directory(), {
      ...{ LLMRING_DATABASE_URL: databaseUrl(), LLMRING_HOST: '127.0.0.1', LLMRING_PORT: '0' },
      ...{ LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/', LLMRING_ROUTER_MODEL_INDEX_URL: index, ...more },
    })
  expect(await serve(file)).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('groq: the catalogue has no model'),
  })
  // Whoever starts it again may have more luck.
  const away = await serve('http://127.0.0.1:9/index.json?token=planted')
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('cannot be fetched')])
  expect(away.stderr + away.stdout).not.toContain('planted')
  const open = await serve(file, { LLMRING_HOST: '0.0.0.0' })
  expect([open.code, open.stderr]).toEqual([78, expect.stringContaining('LLMRING_ROUTER_OPEN')])
})
