import { describe, expect, it } from 'vitest'
import { createBudget } from '../../src/features/registry/archives.js'
import { currentTarget, type ProviderName } from '../../src/features/registry/providers.js'
import { type ProviderFile, readProviderFile } from '../../src/features/registry/registry-file.js'
import { createRenderer, renderRegistry } from '../../src/features/registry/render.js'
import { matchesEtag } from '../../src/http/etag.js'

function fileOf(provider: ProviderName, version: number, models: object, updatedAt?: string): ProviderFile {
  const text = JSON.stringify({ provider, version, updated_at: updatedAt, models })
  const result = readProviderFile(currentTarget(provider), new TextEncoder().encode(text))
  if (!result.ok) throw new Error(result.reason)
  return result.file
}
const textOf = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes)

describe('If-None-Match', () => {
  it.each([
    ['"x"', true],
    ['W/"x"', true],
    [' "a" , W/"b","x"', true],
    ['*', true],
    [' * ', true],
    ['"a,b", "x"', true],
    ['"X"', false],
    ['x', false],
    ['"*"', false],
    ['', false],
    [undefined, false],
  ])('%j against "x" is %s', (header, expected) => {
    expect(matchesEtag(header, '"x"')).toBe(expected)
  })
})

describe('rendering', () => {
  const openai = fileOf('openai', 7, { 'openai:a': { supports_vision: true, price: 1.25 } }, '2026-08-18T17:29:16')
  const google = fileOf('google', 5, { 'google:b': {} })

  it('gives the same bytes and ETag for the same content, and others for any other', () => {
    const parts = { files: [google, openai], warnings: [] }
    const first = renderRegistry(parts, {})
    expect(renderRegistry({ ...parts }, {})).toEqual(first)
    const dearer = fileOf('openai', 7, { 'openai:a': { supports_vision: true, price: 1.26 } }, '2026-08-18T17:29:16')
    expect(renderRegistry({ ...parts, files: [google, dearer] }, {}).etag).not.toBe(first.etag)
    const warned = renderRegistry({ ...parts, warnings: [{ provider: 'openai', text: 'stale' }] }, {})
    expect(warned.etag).not.toBe(first.etag)
  })

  it('does not change a filtered answer when only a filtered-out provider changes', () => {
    const filter = { providers: ['google'] }
    const warning = { provider: 'openai', text: 'stale' } as const
    const before = renderRegistry({ files: [google, openai], warnings: [] }, filter)
    const after = renderRegistry(
      { files: [google, fileOf('openai', 8, { 'openai:c': {} })], warnings: [warning] },
      filter,
    )
    expect(textOf(after)).toBe(textOf(before))
  })

  it('says 1970 where no file says when it was made, rather than inventing a time', () => {
    const { generated_at: at } = JSON.parse(textOf(renderRegistry({ files: [google], warnings: [] }, {}))) as {
      generated_at: string
    }
    expect(at).toBe('1970-01-01T00:00:00.000Z')
  })

  it('is done once for a content and a filter', () => {
    const renderer = createRenderer()
    const answer = renderer.registry({ files: [openai], warnings: [] }, { providers: ['openai'] })
    expect(renderer.registry({ files: [openai], warnings: [] }, { providers: ['openai'] })).toBe(answer)
    expect(renderer.registry({ files: [openai], warnings: [] }, { capabilities: ['openai'] })).not.toBe(answer)
  })
})

describe('a budget', () => {
  it('gives so many takings a minute and no more', () => {
    let now = 0
    const budget = createBudget(() => now, 2)
    expect([budget.take(), budget.take(), budget.take()]).toEqual([true, true, false])
    now = 60_000
    expect(budget.take()).toBe(true)
  })
})
