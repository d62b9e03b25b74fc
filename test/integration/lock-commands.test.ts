import { mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Ran, runCommand } from '../support/command.js'

let directory: string
let path: string
const KEYS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GOOGLE_API_KEY', 'GEMINI_API_KEY']
const before = new Map(KEYS.map((name) => [name, process.env[name]]))

beforeAll(() => {
  for (const name of KEYS) delete process.env[name]
})
afterAll(() => {
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value
})
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'llmring-lock-')))
  path = join(directory, 'llmring.lock')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A command on the lockfile, without a network. */
const run = (args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> =>
  runCommand(args, { LLMRING_LOCKFILE_PATH: path, LLMRING_REGISTRY_BASE_URL: 'http://127.0.0.1:9/', ...environment })
const json = async (args: readonly string[], environment?: Record<string, string>) => {
  const ran = await run([...args, '--json'], environment)
  return { code: ran.code, ...JSON.parse(ran.stdout) }
}

describe('lock init', () => {
  it('makes a lockfile of chat models, with tasks as names, for the providers of which there is a key', async () => {
    expect(await run(['lock', 'init'], { GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o' })).toMatchObject({ code: 0 })
    const { aliases } = await json(['aliases'])
    expect(aliases.map(({ alias }: { alias: string }) => alias)).toEqual(
      expect.arrayContaining(['summarizer', 'classifier', 'extractor', 'coder']),
    )
    for (const { alias, models } of aliases) {
      expect(models, alias).toEqual([expect.stringMatching(/^openai:/), expect.stringMatching(/^google:/)])
      expect(models.join(), alias).not.toMatch(/embedding|realtime|audio|tts|image/)
    }
    expect(await run(['lock', 'validate'])).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(path, 'utf8')).not.toMatch(/"[go]"/)
  })

  it('takes all providers if there is no key, and does not replace what is there unless it is told to', async () => {
    const made = await json(['lock', 'init'])
    expect(made).toMatchObject({ code: 0, file: path })
    expect(made.aliases[0].models).toHaveLength(3)
    await run(['bind', 'mine', 'openai:gpt-4o'])
    const refused = await run(['lock', 'init'])
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/exists.*--force/) })
    expect((await run(['aliases'])).stdout).toContain('mine')
    expect(await run(['lock', 'init', '--force', '--profile', 'prod'])).toMatchObject({ code: 0 })
    expect((await run(['aliases'])).stdout).toBe('')
    expect((await run(['aliases'], { LLMRING_PROFILE: 'prod' })).stdout).toContain('summarizer → ')
  })

  it('says so where the registry that it shall ask does not answer', async () => {
    for (const [args, environment] of [
      [['lock', 'init', '--online'], {}],
      [['lock', 'init'], { LLMRING_REGISTRY_BUNDLED: 'false' }],
    ] as const) {
      const refused = await run(args, environment)
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^The registry cannot be read/) })
    }
    expect(await readdir(directory)).toEqual([])
  })
})

describe('bind, unbind and aliases', () => {
  const MODELS = 'openai:gpt-4o-mini,anthropic:claude-sonnet-4-5-20250929,google:gemini-2.5-pro'

  it('never make a lockfile', async () => {
    for (const args of [['bind', 'a', MODELS], ['unbind', 'a'], ['aliases'], ['lock', 'validate']]) {
      expect(await run(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('lock init') })
    }
    expect(await readdir(directory)).toEqual([])
  })

  it('bind with fallbacks and constraints, show them in short and whole, and unbind', async () => {
    await run(['lock', 'init'])
    const args = ['--min-context', '100000', '--max-cost', '10', '--requires', 'vision, function_calling']
    const bound = await run(['bind', 'summarizer', MODELS, ...args])
    expect(bound).toMatchObject({ code: 0, stdout: 'summarizer → openai:gpt-4o-mini (+ 2 fallbacks)\n', stderr: '' })
    await run(['bind', 'two', 'openai:gpt-4o,openai:gpt-4o-mini', '--profile', 'prod'])
    expect((await run(['aliases', '--profile', 'prod'])).stdout).toBe('two → openai:gpt-4o (+ 1 fallback)\n')
    expect((await run(['aliases'])).stdout.split('\n').at(-2)).toBe('summarizer → openai:gpt-4o-mini (+ 2 fallbacks)')
    expect((await run(['aliases', '--verbose'])).stdout).toContain(
      'summarizer → openai:gpt-4o-mini\n  then anthropic:claude-sonnet-4-5-20250929\n  then google:gemini-2.5-pro\n  max_cost 10\n',
    )
    expect((await json(['aliases'])).aliases.at(-1)).toEqual({
      ...{ profile: 'default', alias: 'summarizer', models: MODELS.split(',') },
      constraints: { min_context: 100_000, max_cost: 10, requires: ['vision', 'function_calling'] },
    })
    expect(await json(['unbind', 'summarizer'])).toEqual({ code: 0, alias: 'summarizer', unbound: true })
    expect(await run(['unbind', 'summarizer'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no alias') })
  })

  it('show what a wildcard stands for, and warn of one that stands for nothing', async () => {
    await run(['lock', 'init'])
    expect((await run(['bind', 'cheap', 'openai:*'])).stdout).toMatch(/^cheap → openai:\*\nnow openai:gpt\S+\n$/)
    const never = await run(['bind', 'never', 'openai:*', '--min-context', '999999999'])
    expect(never).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Warning: .*min_context 999999999/) })
  })

  it.each([
    [['bind', 'a', 'gpt-4o'], /'gpt-4o' names no provider; write it as provider:model, like/],
    [['bind', 'a', 'openai:gpt-4o', '--max-cost', '-1'], /must be a number/],
    [['bind', 'a', 'openai:gpt-4o', '--min-context', '1.5'], /whole number/],
    [['bind', '', 'openai:gpt-4o'], /alias/],
  ])('refuse %j, and leave the file as it was', async (args, message) => {
    await run(['lock', 'init'])
    const text = await readFile(path, 'utf8')
    expect(await run(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(message) })
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('take --file before the path of the environment, and keep the permissions of a file', async () => {
    const other = join(directory, 'other.json')
    await run(['lock', 'init', '--file', other])
    expect(JSON.parse(await readFile(other, 'utf8')).version).toBe('1.0')
    await writeFile(path, '', { mode: 0o600 })
    await run(['bind', 'a', 'openai:gpt-4o'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await run(['aliases'])).stdout).toBe('a → openai:gpt-4o\n')
  })
})

describe('lock validate', () => {
  it('finds every model that the registry does not have, and warns of those that are not offered any more', async () => {
    await run(['lock', 'init'])
    await run(['bind', 'a', 'openai:nope,openai:o1-mini,ollama:x:y'])
    await run(['bind', 'b', 'google:*', '--min-context', '999999999', '--profile', 'prod'])
    const { code, stderr } = await run(['lock', 'validate'])
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([
      'Warning: default/a: openai:o1-mini: it is not offered any more.',
      'default/a: openai:nope: the registry has no such model.',
      "default/a: ollama:x:y: the registry has no provider 'ollama'.",
      expect.stringMatching(/^prod\/b: google:\*: none of the \d+ active chat models/),
    ])
    const found = await json(['lock', 'validate', '--profile', 'default'])
    expect(found).toMatchObject({ code: 1, valid: false, problems: [{ alias: 'a', model: 'openai:nope' }, {}] })
  })

  it('tells all that is wrong with the structure together', async () => {
    await writeFile(path, 'version = "7"\n[profiles.default]\nbindings = [{ alias = "a", models = ["gpt-4o"] }]\n')
    const { code, stderr } = await run(['lock', 'validate'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /\/profiles\/default\/bindings\/0\/models\/0: 'gpt-4o' names no provider[\s\S]*\/version: '7'/,
    )
    expect(await json(['lock', 'validate'])).toMatchObject({ code: 1, valid: false })
  })
})

describe('models', () => {
  it('lists what the registry has, the cheapest first, with exact prices', async () => {
    const { models } = await json(['models', '--provider', 'openai', '--capability', 'vision', 'function_calling'])
    expect(models).toContainEqual({ model: 'openai:gpt-4o-mini', context: 128_000, input: '0.15', output: '0.6' })
    const prices = models.map(({ input }: { input: string }) => Number(input))
    expect(prices).toEqual([...prices].sort((one, other) => one - other))
    expect(models.map(({ model }: { model: string }) => model)).not.toContain('openai:o1-mini')
    expect((await run(['models'])).stdout).toMatch(/^openai:.*\n[\s\S]*\nanthropic:[\s\S]*\ngoogle:/)
    expect(await run(['models', '--provider', 'nobody'])).toMatchObject({ code: 1, stdout: '' })
  })
})
