import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  canonicalText,
  differentProfiles,
  headerOf,
  headerText,
  isoTime,
  type LockfileFormat,
  newHeader,
  parseHeader,
  parseLockfile,
  renderLockfile,
} from '../../src/core/lockfile/index.js'
import { digestsOf } from './lockfile-digests.js'

/** Made by a Python program: models of pydantic 2.13, `tomllib` or `json`, and `json.dumps` with sorted keys. */
type Vector = { note: string; format: LockfileFormat; text: string; digests: [string, string, string] }
const VECTORS: Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/lockfiles/digests.json'), 'utf8'),
)

const parsed = (text: string, format: LockfileFormat) => {
  const result = parseLockfile(text, format)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.lockfile
}

describe('the digests of a lockfile', () => {
  it('are known for the example that everybody has', () => {
    const digests = digestsOf(parsed(VECTORS[0]?.text ?? '', 'toml'))
    expect(digests.current).toBe('39778a7b27833bf735bae08abda9b091f3b5888df6d9adf4543686533add93f7')
    expect(digests.september2025).toMatch(/^2ad6ed3c/)
  })

  it.each(VECTORS)('are those of Python: $note', ({ text, format, digests }) => {
    const { current, september2025, august2025 } = digestsOf(parsed(text, format))
    expect([current, september2025, august2025]).toEqual(digests)
  })

  it.each(VECTORS)('stay what they are when the file is written and read again: $note', ({ text, format }) => {
    const lockfile = parsed(text, format)
    const json = renderLockfile(lockfile, 'json')
    expect(digestsOf(parsed(json, 'json'))).toEqual(digestsOf(lockfile))
    // What TOML cannot say: metadata that is null, and halves of surrogate pairs.
    if (lockfile.metadata === 'null' || JSON.stringify(JSON.parse(json)).includes('\\ud')) return
    expect(digestsOf(parsed(renderLockfile(lockfile, 'toml'), 'toml'))).toEqual(digestsOf(lockfile))
  })

  it('tell apart what means the same to a program', () => {
    const file = (rest: string) => parsed(`created_at = 2025-09-28\nupdated_at = 2025-09-28\n${rest}`, 'toml')
    const bound = (constraints: string) =>
      file(`[profiles.a]\n[[profiles.a.bindings]]\nalias = "x"\nmodels = ["o:m"]\n${constraints}`)
    const texts = ['', 'constraints = {}', 'constraints = { k = 10 }', 'constraints = { k = 10.0 }']
    const digests = texts.map((constraints) => digestsOf(bound(constraints)).current)
    expect(new Set(digests).size).toBe(texts.length)
  })
})

describe('the header of a lockfile', () => {
  it.each(VECTORS)('is the same after it was stored: $note', ({ text, format }) => {
    const header = headerOf(parsed(text, format), '')
    expect(parseHeader(headerText(header))).toEqual(header)
    expect(() => JSON.parse(headerText(header))).not.toThrow()
  })

  it('has one text, whatever the order of its profiles and versions', () => {
    const one = parsed('[profiles.a.registry_versions]\nx = 1\ny = 2\n[profiles.b]', 'toml')
    const other = parsed('[profiles.b]\n[profiles.a.registry_versions]\ny = 2\nx = 1', 'toml')
    expect(headerText(headerOf(one, 'now'))).toBe(headerText(headerOf(other, 'now')))
    expect(headerOf(one, 'now')).toEqual({ ...newHeader('now'), profiles: headerOf(one, 'now').profiles })
  })

  it('has its times as Python writes them', () => {
    expect(isoTime(new Date('2025-09-28T12:00:00Z'))).toBe('2025-09-28T12:00:00+00:00')
    expect(isoTime(new Date('2025-09-28T12:00:00.050Z'))).toBe('2025-09-28T12:00:00.050000+00:00')
  })
})

describe('the canonical text of a JSON value', () => {
  it.each([
    ['{"b":1,"a":[1.0, 1, -0.0, -0, 1e5]}', '{"a":[1.0,1,-0.0,0,100000.0],"b":1}'],
    ['[1e16,9999999999999998.0,1e-4,1e-5,1.5e300,5e-324]', '[1e+16,9999999999999998.0,0.0001,1e-05,1.5e+300,5e-324]'],
    ['[123456789012345678901234567890,-9007199254740993]', '[123456789012345678901234567890,-9007199254740993]'],
    ['[1e400,-1e400,NaN]', '[null,null,null]'],
    ['"\u007f\u00e9\u2028\u{1f600}\\u0000\\/"', '"\\u007f\\u00e9\\u2028\\ud83d\\ude00\\u0000/"'],
    ['"\\ud800x"', '"\\ud800x"'],
    [
      '{"\u{10000}":1,"\ue000":2,"\uffff":3,"__proto__":4}',
      '{"__proto__":4,"\\ue000":2,"\\uffff":3,"\\ud800\\udc00":1}',
    ],
    [' null ', 'null'],
  ])('%s is Python’s', (text, canonical) => {
    expect(canonicalText(text)).toBe(canonical)
    expect(canonicalText(canonical)).toBe(canonical)
  })

  it.each(['', '{', '[1,]', '{"a":1,"a":1}', "{'a':1}", '01', '"\n"', '1 2', '[1}', '{"\\ud800":1}'])(
    'is refused of %j',
    (text) => {
      expect(() => canonicalText(text)).toThrow(SyntaxError)
    },
  )
})

describe('the profiles of which two headers say different things', () => {
  const versions = (openai: number) => ({ name: 'p', registryVersions: new Map([['openai', openai]]) })
  const header = { ...newHeader('2026-01-01T00:00:00+00:00'), profiles: new Map([['prod', versions(1)]]) }
  const withProfiles = (...profiles: [string, ReturnType<typeof versions>][]) => ({
    ...header,
    profiles: new Map(profiles),
  })

  it.each([
    ['none where they are the same', withProfiles(['prod', versions(1)]), []],
    ['one of which the versions changed', withProfiles(['prod', versions(2)]), ['prod']],
    ['one that is new', withProfiles(['prod', versions(1)], ['dev', versions(1)]), ['dev']],
    ['one that is gone', withProfiles(), ['prod']],
    ['all where it stands above them', { ...header, metadata: '{"team":"search"}' }, ['prod']],
  ])('are %s', (_what, other, names) => {
    expect(differentProfiles(header, other)).toEqual(names)
    expect(differentProfiles(other, header)).toEqual(names)
  })
})
