import { describe, expect, it } from 'vitest'
import { archiveTarget, currentTarget, MANIFEST } from '../../src/features/registry/providers.js'
import { readManifest, readProviderFile } from '../../src/features/registry/registry-file.js'

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const good = {
  provider: 'openai',
  version: 7,
  updated_at: '2026-08-18T17:29:16.542543',
  models: { 'openai:a': { is_active: true } },
}
const target = currentTarget('openai')

describe("a provider's file", () => {
  it('is read with its version, its models and the time it was made at, in UTC', () => {
    const result = readProviderFile(target, bytesOf(good))
    expect(result).toMatchObject({
      ok: true,
      file: { provider: 'openai', version: 7, updatedAt: Date.UTC(2026, 7, 18, 17, 29, 16, 542) },
    })
  })

  it.each([
    ['2026-08-18T17:29:16Z', Date.UTC(2026, 7, 18, 17, 29, 16)],
    ['2026-08-18T17:29:16+02:00', Date.UTC(2026, 7, 18, 15, 29, 16)],
    ['yesterday', null],
    ['2026-99-18T17:29:16', null],
    [null, null],
    [5, null],
    [undefined, null],
  ])('reads updated_at %j', (updatedAt, expected) => {
    const result = readProviderFile(target, bytesOf({ ...good, updated_at: updatedAt }))
    expect(result).toMatchObject({ ok: true, file: { updatedAt: expected } })
  })

  it.each([
    ['a page', '<!doctype html><h1>Welcome</h1>'],
    ['nothing', ''],
    ['an empty object', '{}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['half a file', JSON.stringify(good).slice(0, 60)],
    ['another provider', { ...good, provider: 'google' }],
    ['no provider', { ...good, provider: undefined }],
    ['no models', { ...good, models: {} }],
    ['models that are a list', { ...good, models: [] }],
    ['models that are no objects', { ...good, models: { 'openai:a': null } }],
    ['a version that is a text', { ...good, version: '7' }],
    ['a version that is not whole', { ...good, version: 7.5 }],
    ['version 0', { ...good, version: 0 }],
    ['a version beyond 31 bits', { ...good, version: 2 ** 31 }],
    ['no version', { ...good, version: undefined }],
    ['a very deep file', `{"provider":"openai","version":7,"models":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`],
  ])('is refused where it is %s', (_name, content) => {
    expect(readProviderFile(target, bytesOf(content))).toMatchObject({ ok: false })
  })

  it('is refused where its bytes are not UTF-8', () => {
    const bytes = bytesOf(good)
    bytes[20] = 0xff
    expect(readProviderFile(target, bytes)).toMatchObject({ ok: false })
  })

  it('is refused where an archived version says that it is another one', () => {
    expect(readProviderFile(archiveTarget('openai', 7), bytesOf(good))).toMatchObject({ ok: true })
    expect(readProviderFile(archiveTarget('openai', 6), bytesOf(good))).toMatchObject({ ok: false })
  })

  it('keeps a model named __proto__ a model', () => {
    const text = '{"provider":"openai","version":1,"models":{"__proto__":{"is_active":true}}}'
    const result = readProviderFile(target, bytesOf(text))
    expect(result.ok && [...result.file.index.byKey.keys()]).toEqual(['__proto__'])
  })
})

describe('the manifest', () => {
  it('is an object that names providers', () => {
    expect(readManifest(MANIFEST, bytesOf({ providers: { openai: {} } }))).toMatchObject({ ok: true })
  })

  it.each(['{}', '[1]', 'null', '<h1>', '', '{"error":"not found"}', '{"version":1}', '{"providers":{}}'])(
    'is not %j',
    (text) => {
      expect(readManifest(MANIFEST, bytesOf(text))).toMatchObject({ ok: false })
    },
  )
})
