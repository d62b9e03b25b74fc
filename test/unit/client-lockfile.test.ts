import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AliasClient } from '../../src/client/alias-client.js'
import { lockfileText, openLockfile } from '../../src/client/lockfile/open-lockfile.js'
import { findLockfile, lockfilePath } from '../../src/client/node/find-lockfile.js'
import { lockfileFile } from '../../src/client/node/lockfile-file.js'
import { openLockfileAt } from '../../src/client/node/open-lockfile-at.js'
import { fixtureText } from './pricing-fixtures.js'

const TEXT = `version = "1.0"
created_at = "2025-09-28T12:00:00+00:00"
updated_at = "2025-09-28T12:05:34.812341+00:00"
default_profile = "staging"
[profiles.staging]
name = "staging"
[profiles.staging.registry_versions]
openai = 7
[[profiles.staging.bindings]]
alias = "summarizer"
models = ["openai:gpt-4o-mini", "openai:gpt-4o"]
constraints = { max_cost = 10.0 }
[[profiles.staging.bindings]]
alias = "libA:x"
models = ["openai:gpt-4o"]
[profiles.prod]
[[profiles.prod.bindings]]
alias = "summarizer"
models = ["google:gemini-2.5-pro"]
`

let directory: string
let path: string
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'llmring-lockfile-')))
  path = join(directory, 'llmring.lock')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const nobody = () => Promise.reject(new Error('no registry is asked for'))
const inMemory = (text: string | undefined = TEXT, profile?: string) => {
  const store = lockfileText(text)
  return { store, client: openLockfile(store, { registry: nobody, profile }) }
}
const at = (options: Parameters<typeof openLockfileAt>[0] = {}): AliasClient =>
  openLockfileAt({ path, registry: nobody, ...options })

describe('a client of a lockfile', () => {
  test('resolves in the profile that it is told, then in its own, then in the one of the file', async () => {
    expect(await inMemory().client.resolveCandidates('summarizer')).toEqual(['openai:gpt-4o-mini', 'openai:gpt-4o'])
    expect(await inMemory(TEXT, 'prod').client.resolveAlias('summarizer')).toBe('google:gemini-2.5-pro')
    expect(await inMemory(TEXT, 'prod').client.resolveAlias('summarizer', { profile: 'staging' })).toBe(
      'openai:gpt-4o-mini',
    )
    await writeFile(path, TEXT)
    const env = { LLMRING_PROFILE: 'prod', LLMRING_LOCKFILE_PATH: path }
    expect(await openLockfileAt({ env }).resolveAlias('summarizer')).toBe('google:gemini-2.5-pro')
    expect(await openLockfileAt({ env, profile: 'staging' }).hasAlias('libA:x')).toBe(true)
    expect(await openLockfileAt({ env: { ...env, LLMRING_PROFILE: '' } }).hasAlias('libA:x')).toBe(true)
  })

  test('takes a bound name before the model of that name, and does not fall through to another profile', async () => {
    const { client } = inMemory()
    expect(await client.resolveAlias('libA:x')).toBe('openai:gpt-4o')
    expect(await client.resolveAlias('libA:x', { profile: 'prod' })).toBe('libA:x')
    await expect(client.resolveAlias('summariser')).rejects.toMatchObject({ code: 'alias-not-found' })
    await expect(client.resolveAlias('summarizer', { profile: 'other' })).rejects.toMatchObject({
      code: 'alias-not-found',
      message: "No alias 'summarizer' in profile 'other' of the lockfile.",
    })
  })

  test('never throws from hasAlias: what cannot be read has no alias', async () => {
    expect(await at().hasAlias('summarizer')).toBe(false)
    expect(await inMemory('version = ').client.hasAlias('summarizer')).toBe(false)
    await mkdir(path)
    expect(await at().hasAlias('summarizer')).toBe(false)
  })

  test('requires aliases with an error that names the context, each one, and the path', async () => {
    await writeFile(path, TEXT)
    await at().requireAliases(['summarizer', 'libA:x'])
    await expect(
      at({ profile: 'prod' }).requireAliases(['summarizer', 'libA:x', 'b'], { context: 'libA' }),
    ).rejects.toMatchObject({
      code: 'aliases-missing',
      message: `libA: not bound in profile 'prod' of ${path}: 'libA:x', 'b'.`,
    })
  })

  test('binds and unbinds with nothing else changed: a rebind goes to the end, floats stay floats', async () => {
    const { client, store } = inMemory()
    await client.bindAlias('summarizer', 'openai:gpt-4o', { constraints: { max_cost: 2.5 } })
    await client.bindAlias('new', ['openai:gpt-4o'], { profile: 'fresh' })
    expect((await client.listAliases()).map(({ alias }) => alias)).toEqual(['libA:x', 'summarizer'])
    expect(await client.resolveAlias('new', { profile: 'fresh' })).toBe('openai:gpt-4o')
    expect(store.text()).toContain('created_at = "2025-09-28T12:00:00+00:00"')
    expect(store.text()).toMatch(/^updated_at = "2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00"$/m)
    expect(store.text()).not.toContain('2025-09-28T12:05')
    expect(store.text()).toContain('openai = 7')
    expect(await client.unbindAlias('libA:x')).toBe(true)
    const before = store.text()
    expect(await client.unbindAlias('libA:x')).toBe(false)
    expect(await client.unbindAlias('a', { profile: 'nowhere' })).toBe(false)
    expect(store.text()).toBe(before)
    const other = inMemory()
    await other.client.unbindAlias('libA:x')
    expect(other.store.text()).toContain('max_cost = 10.0')
  })

  test('writes nothing that no lockfile may hold', async () => {
    const { client, store } = inMemory()
    for (const alias of ['', '.', 'x'.repeat(256)]) {
      await expect(client.bindAlias(alias, 'openai:gpt-4o')).rejects.toMatchObject({ code: 'lockfile-invalid' })
    }
    await expect(client.bindAlias('a', 'gpt-4o')).rejects.toMatchObject({ code: 'bad-binding' })
    await expect(client.bindAlias('a', '')).rejects.toMatchObject({ code: 'bad-binding' })
    expect(store.text()).toBe(TEXT)
  })

  test('looks a wildcard up in the registry, and says why it stands for nothing or cannot be known', async () => {
    const asked: string[] = []
    const load = async (provider: string) => {
      asked.push(provider)
      return provider === 'openai' ? JSON.parse(fixtureText('openai/models.json')) : undefined
    }
    const client = openLockfile(lockfileText(TEXT), { registry: load })
    await client.bindAlias('cheap', 'openai:*,openai:gpt-4o')
    expect(asked).toEqual([])
    const [first, ...rest] = await client.resolveCandidates('cheap')
    expect(first).toMatch(/^openai:[^*]+$/)
    expect(rest).toEqual(['openai:gpt-4o'])
    await client.resolveAlias('cheap')
    expect(asked).toEqual(['openai'])
    await client.bindAlias('none', 'nobody:*')
    await expect(client.resolveAlias('none')).rejects.toMatchObject({
      code: 'no-candidate',
      message: expect.stringContaining('nobody'),
    })
    const offline = inMemory().client
    await offline.bindAlias('cheap', 'openai:*')
    await expect(offline.resolveAlias('cheap')).rejects.toMatchObject({ code: 'registry-unavailable' })
  })

  test('makes a lockfile when it is told to, and only then', async () => {
    await expect(at().resolveAlias('a')).rejects.toMatchObject({
      code: 'lockfile-missing',
      message: expect.stringContaining(path),
    })
    await expect(at().bindAlias('a', 'openai:gpt-4o')).rejects.toMatchObject({ code: 'lockfile-missing' })
    await expect(at().unbindAlias('a')).rejects.toMatchObject({ code: 'lockfile-missing' })
    expect(await readdir(directory)).toEqual([])
    const bindings = [{ alias: 'a', models: ['openai:gpt-4o'] }]
    await at().initLockfile({ bindings, profile: 'prod' })
    expect(await at({ profile: 'prod' }).resolveAlias('a')).toBe('openai:gpt-4o')
    expect(await at().listAliases()).toEqual([])
    await expect(at().initLockfile({ bindings })).rejects.toMatchObject({ code: 'lockfile-exists' })
    await at().initLockfile({ bindings: [{ alias: 'b', models: ['openai:gpt-4o'] }], force: true })
    expect((await at().listAliases()).map(({ alias }) => alias)).toEqual(['b'])
  })
})

describe('a lockfile on disk', () => {
  test('is read again when it has changed', async () => {
    await writeFile(path, TEXT)
    const client = at()
    expect(await client.hasAlias('libA:x')).toBe(true)
    await writeFile(path, TEXT.replace('libA:x', 'libB:x'))
    expect(await client.hasAlias('libA:x')).toBe(false)
    expect(await client.hasAlias('libB:x')).toBe(true)
  })

  test.each([0o600, 0o640, 0o664])('keeps its permissions %o when it is replaced, whatever the umask', async (mode) => {
    await writeFile(path, TEXT)
    await chmod(path, mode)
    await at().bindAlias('a', 'openai:gpt-4o')
    expect((await stat(path)).mode & 0o777).toBe(mode)
    expect(await readdir(directory)).toEqual(['llmring.lock'])
  })

  test('stays where a link leads to', async () => {
    const target = join(directory, 'shared.lock')
    await writeFile(target, TEXT)
    await symlink('shared.lock', path)
    await at().bindAlias('a', 'openai:gpt-4o')
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect(await readFile(target, 'utf8')).toContain('"a"')
  })

  test('is not replaced if something else was written meanwhile', async () => {
    await writeFile(path, TEXT)
    const store = lockfileFile(path)
    const text = (await store.read()) ?? ''
    expect(await store.replace(`${text}# one\n`, text)).toBe(true)
    expect(await store.replace(`${text}# two\n`, text)).toBe(false)
    expect(await readFile(path, 'utf8')).toBe(`${text}# one\n`)
    expect(await readdir(directory)).toEqual(['llmring.lock'])
  })

  test.each([
    ['a byte order mark', Buffer.from(`\uFEFF${TEXT}`), /byte order mark/],
    ['bytes that are no UTF-8', Buffer.from([0x76, 0xff, 0xfe]), /not UTF-8/],
    ['ten megabytes', Buffer.alloc(10_000_000, '#'), /more than \d+ bytes/],
    ['half a line', Buffer.from(TEXT.slice(0, 300)), /is not a lockfile that can be used:\n/],
  ])('is refused, and left as it was, with %s', async (_name, bytes, message) => {
    await writeFile(path, bytes)
    const refused = expect.objectContaining({ code: 'lockfile-invalid', message: expect.stringMatching(message) })
    await expect(at().resolveAlias('summarizer')).rejects.toEqual(refused)
    await expect(at().bindAlias('a', 'openai:gpt-4o')).rejects.toEqual(refused)
    expect((await readFile(path)).equals(bytes)).toBe(true)
  })

  test('tells all that is wrong with it together', async () => {
    await writeFile(path, TEXT.replaceAll('"openai:gpt-4o"', '"gpt-4o"').replace('"1.0"', '"9"'))
    const error: Error = await at()
      .resolveAlias('summarizer')
      .then(
        () => new Error('resolved'),
        (cause) => cause,
      )
    expect(error.message.split('\n')).toHaveLength(4)
    expect(error.message).toMatch(/provider:model[\s\S]*\/version: '9'/)
  })

  test('is looked for at the path, then at that of the environment, then here', async () => {
    const options = { path: 'a.lock', environmentPath: 'b.lock', directory }
    expect(lockfilePath(options)).toBe(join(directory, 'a.lock'))
    expect(lockfilePath({ ...options, path: undefined })).toBe(join(directory, 'b.lock'))
    expect(lockfilePath({ directory })).toBe(path)
    await writeFile(path, TEXT)
    // What was named has to be there: another one does not stand in for it.
    expect(() => findLockfile(options)).toThrow(/a\.lock/)
    expect(() => findLockfile({ ...options, path: undefined })).toThrow(/b\.lock \(LLMRING_LOCKFILE_PATH\)/)
    expect(findLockfile({ directory })).toBe(path)
  })

  test('is JSON where its name says so', async () => {
    const json = join(directory, 'llmring.json')
    await at({ path: json }).initLockfile({ bindings: [{ alias: 'a', models: ['openai:gpt-4o'] }] })
    expect(JSON.parse(await readFile(json, 'utf8')).profiles.default.bindings).toMatchObject([{ alias: 'a' }])
    expect(await at({ path: json }).resolveAlias('a')).toBe('openai:gpt-4o')
  })
})
