import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createTransact } from '../../src/db/transact.js'
import { openImport } from '../../src/features/registry/feature.js'
import { readRegistryDirectory } from '../../src/features/registry/import-registry.js'
import { REGISTRY_LIMITS } from '../../src/features/registry/limits.js'
import { createRegistryStore } from '../../src/features/registry/store.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { START_OF_TIME, startRegistryInstance } from '../support/feature-app.js'
import { REGISTRY_FIXTURES } from '../support/registry-origin.js'

let allowedMs = 0
const NO_ORIGIN = 'http://127.0.0.1:9/'

let test: TestDatabase
let database: Database
let folder: string

beforeEach(async () => {
  test = await cloneDatabase()
  database = await openDatabase({ url: test.url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false })
  folder = await mkdtemp(join(tmpdir(), 'llmring-import-'))
  await cp(REGISTRY_FIXTURES, folder, { recursive: true })
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
  await database.close()
  await test.drop()
})

async function importFolder(options: { bundled?: boolean; now?: number } = {}) {
  const directory = await readRegistryDirectory(folder)
  const deps: Parameters<typeof openImport>[1] = {
    transact: (work, msMax) => {
      allowedMs = msMax ?? 0
      return createTransact(database.sql)(work, msMax)
    },
    bundled: options.bundled === true,
    clock: () => options.now ?? START_OF_TIME,
  }
  return openImport(database.orm, deps)(directory)
}

const write = async (path: string, content: unknown) => {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
}
const googleAt = (version: number) => ({ provider: 'google', version, models: { [`google:at-${version}`]: {} } })
const rows = () => database.sql`select path, sha256, last_fetched_at from registry_files order by path, sha256`

describe('an import', () => {
  it('has minutes for its transaction: a far database answers thousands of statements one by one', async () => {
    await importFolder()
    expect(allowedMs).toBe(REGISTRY_LIMITS.importMsMax)
    expect(allowedMs).toBeGreaterThan(60_000)
  })

  it('brings every file of the folder, current and archived, as it is', async () => {
    const imported = await importFolder()
    expect(imported.map(({ provider, version, before }) => [provider, version, before])).toEqual([
      ['anthropic', 3, null],
      ['google', 2, null],
      ['openai', 2, null],
    ])
    const one = await startRegistryInstance({ databaseUrl: test.url, originUrl: NO_ORIGIN, bundled: true })
    expect((await one.registry()).version).toBe('anthropic@3+google@2+openai@2')
    expect((await one.get('/registry')).headers.get('x-registry-source')).toBe('origin')
    const archived = await one.get('/registry/anthropic/v/2/models.json')
    expect([archived.status, archived.headers.get('cache-control')]).toEqual([
      200,
      expect.stringContaining('immutable'),
    ])
    expect((await one.get('/registry/manifest.json')).status).toBe(200)
    await one.close()
  })

  it('is found by an instance that runs without the origin', async () => {
    const one = await startRegistryInstance({ databaseUrl: test.url, originUrl: NO_ORIGIN, bundled: true })
    expect((await one.registry()).version).toBe('anthropic@9+google@5+openai@7')
    await rm(join(folder, 'openai'), { recursive: true })
    await rm(join(folder, 'anthropic'), { recursive: true })
    await write('google/models.json', googleAt(6))
    await importFolder({ bundled: true })
    one.advance(60)
    await eventually(async () => expect((await one.registry()).version).toBe('anthropic@9+google@6+openai@7'))
    await one.close()
  })

  it('goes before what was kept, even by a machine whose clock was ahead, and a second one changes the time alone', async () => {
    await importFolder({ now: START_OF_TIME + 3_600_000 })
    await write('google/models.json', googleAt(3))
    const [, google] = await importFolder()
    expect(google).toMatchObject({ version: 3, before: 2 })
    const [newest] = await createRegistryStore(database.orm).newest(['google/models.json'])
    expect(new TextDecoder().decode(newest?.bytes)).toContain('google:at-3')
    const before = await rows()
    await importFolder({ now: START_OF_TIME + 7_200_000 })
    const after = await rows()
    expect(after.map(({ path, sha256 }) => [path, sha256])).toEqual(before.map(({ path, sha256 }) => [path, sha256]))
  })
})

describe('a folder that is refused changes nothing', () => {
  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['has no manifest', () => rm(join(folder, 'manifest.json')), /manifest\.json: there is no such file$/],
    ['has an empty manifest', () => write('manifest.json', '{}'), /manifest\.json: it is not a manifest: /],
    [
      'has an error where the manifest should be',
      () => write('manifest.json', '{"error": {"code": 404, "message": "Not Found"}}'),
      /manifest\.json: it is not a manifest: it names no providers$/,
    ],
    [
      'lacks a current file',
      () => rm(join(folder, 'google/models.json')),
      /google\/models\.json: there is no such file$/,
    ],
    ['holds half a file', () => write('openai/models.json', '{"provider"'), /openai\/models\.json: it is not JSON$/],
    ['mixes providers up', () => write('openai/models.json', googleAt(2)), /openai\/models.json: .* another provider$/],
    [
      'mixes versions up',
      () => write('google/v/2/models.json', googleAt(1)),
      /google\/v\/2\/models\.json: .*version 1$/,
    ],
    [
      'lacks an archived file',
      () => rm(join(folder, 'google/v/1/models.json')),
      /v\/1\/models\.json: there is no such/,
    ],
    [
      'has a newer archive',
      () => write('google/v/9/models.json', googleAt(9)),
      /version 2, and version 9 is archived$/,
    ],
    ['has a file that is a folder', () => mkdir(join(folder, 'google/v/1/models.json/')), /cannot be read \(EISDIR\)$/],
    [
      'has a file of over 16 MiB',
      () => write('openai/models.json', ' '.repeat(REGISTRY_LIMITS.fileBytesMax + 1)),
      /larger than 16777216 bytes$/,
    ],
  ])('because it %s', async (name, change, reason) => {
    if (name.endsWith('is a folder')) await rm(join(folder, 'google/v/1/models.json'))
    await change()
    await expect(importFolder()).rejects.toThrow(reason)
    expect(await rows()).toEqual([])
  })

  it('because there is no such folder, or it is empty', async () => {
    await rm(folder, { recursive: true })
    await expect(importFolder()).rejects.toThrow(/nothing was imported:\n.*manifest[\s\S]*no folder of a provider/)
  })

  it('because a provider is older than what was kept, whatever the others are', async () => {
    await importFolder()
    const before = await rows()
    await write('openai/models.json', { provider: 'openai', version: 9, models: { 'openai:new': {} } })
    await write('google/models.json', googleAt(1))
    await rm(join(folder, 'google/v'), { recursive: true })
    await expect(importFolder({ now: START_OF_TIME + 60_000 })).rejects.toThrow(/google@1, and google@2 is known$/)
    expect(await rows()).toEqual(before)
  })

  it('because it is older than what is bundled, unless that is not used', async () => {
    await expect(importFolder({ bundled: true })).rejects.toThrow(/anthropic@3, and anthropic@9 is known/)
    expect(await rows()).toEqual([])
    expect(await importFolder()).toHaveLength(3)
  })

  it('with the first twenty reasons', async () => {
    for (let version = 10; version < 35; version++) await write(`openai/v/${version}/models.json`, '')
    const refusal = await importFolder().catch((error: Error) => error.message)
    expect(refusal).toMatch(/openai\/v\/29\/models\.json: it is not JSON\n {2}and 5 more$/)
  })
})
