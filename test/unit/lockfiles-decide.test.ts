import { describe, expect, it } from 'vitest'
import { headerText, newHeader, parseLockfile } from '../../src/core/lockfile/index.js'
import type { HeldBinding } from '../../src/features/lockfiles/compare.js'
import { decide } from '../../src/features/lockfiles/decide.js'
import { fileToKeep } from '../../src/features/lockfiles/file-to-keep.js'
import { preferredFormat } from '../../src/features/lockfiles/preferred-format.js'

const NOW = new Date('2026-01-31T12:00:00Z')
const MADE = '2026-01-01T00:00:00+00:00'
const read = (text: string) => {
  const result = parseLockfile(text, 'toml')
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result
}
const binding = (profile: string, alias: string, place: number, model = 'a:b'): HeldBinding => ({
  ...{ profile, alias, place, models: [model], constraints: null },
})
const lock = {
  header: headerText({
    ...newHeader(MADE),
    profiles: new Map([['prod', { name: 'prod', registryVersions: new Map() }]]),
  }),
  updatedAt: '2026-01-02T00:00:00+00:00',
  ...{ changedAt: new Date(0), firstChangedAt: new Date(0) },
}
const head = { revision: 5, lastPlace: 9 }
const ask = (text: string, held: readonly HeldBinding[], profile?: string) =>
  decide({ file: read(text).lockfile, profile, held, lock, head, now: NOW })
const profile = (name: string, ...aliases: string[]) =>
  `[profiles.${name}]\nname = "${name}"\n${aliases.map((alias) => `[[profiles.${name}.bindings]]\nalias = "${alias}"\nmodels = ["a:b"]\n`).join('')}`

describe('what a file changes', () => {
  it('is nothing if it says what holds, with or without its times', () => {
    const text = profile('prod', 'x', 'y')
    const held = [binding('prod', 'x', 1), binding('prod', 'y', 2)]
    for (const times of ['', `created_at = "${MADE}"\nupdated_at = "${lock.updatedAt}"\n`]) {
      const decided = ask(times + text, held)
      expect(decided).toMatchObject({ changes: false, differences: [], plan: { set: [], remove: [] } })
      expect(decided.result).toMatchObject({ createdAt: MADE, updatedAt: lock.updatedAt })
    }
  })

  it('is nothing if it names a profile that only a binding made: a file that was read comes back', () => {
    const held = [binding('dev', 'z', 1), binding('prod', 'x', 2)]
    const whole = profile('prod', 'x') + profile('dev', 'z')
    for (const published of [undefined, 'dev']) {
      expect(ask(whole, held, published)).toMatchObject({ changes: false, plan: { set: [], remove: [] } })
    }
    const pinned = whole.replace('name = "dev"', 'name = "dev"\nregistry_versions = { openai = 7 }')
    const empty = `${whole}${profile('new')}`
    for (const text of [pinned, empty]) expect(ask(text, held)).toMatchObject({ changes: true, differences: [] })
  })

  it('is a time that it brings', () => {
    const decided = ask(`updated_at = 2027-01-01T00:00:00Z\n${profile('prod', 'x')}`, [binding('prod', 'x', 1)])
    expect(decided).toMatchObject({
      changes: true,
      plan: { set: [], lock: { updatedAt: '2027-01-01T00:00:00+00:00' } },
    })
  })

  it('is the order of bindings, which is no difference of meaning', () => {
    const held = [binding('prod', 'x', 1), binding('prod', 'y', 2)]
    const decided = ask(profile('prod', 'y', 'x'), held)
    expect(decided).toMatchObject({ changes: true, differences: [] })
    expect(decided.plan.set).toHaveLength(1)
    expect(decided.result.updatedAt).toBe('2026-01-31T12:00:00+00:00')
  })

  it('is all that it does not bind, in profiles that it does not have, too', () => {
    const held = [binding('dev', 'z', 1), binding('prod', 'x', 1, 'c:d'), binding('prod', 'y', 2)]
    const { plan, differences } = ask(profile('prod', 'x', 'w'), held)
    expect(plan.remove).toEqual([
      { profile: 'prod', alias: 'y' },
      { profile: 'dev', alias: 'z' },
    ])
    expect(plan.set?.map(({ alias, content }) => [alias, JSON.parse(content)])).toEqual([
      ['x', { models: ['a:b'], constraints: null, metadata: null, keeps_metadata: true, place: 1 }],
      ['w', { models: ['a:b'], constraints: null, metadata: null, keeps_metadata: true, place: 10 }],
    ])
    const meaning = (model: string) => ({ models: [model], constraints: null })
    expect(differences).toEqual([
      { profile: 'prod', alias: 'x', before: meaning('c:d'), after: meaning('a:b') },
      { profile: 'prod', alias: 'w', before: null, after: meaning('a:b') },
      { profile: 'prod', alias: 'y', before: meaning('a:b'), after: null },
      { profile: 'dev', alias: 'z', before: meaning('a:b'), after: null },
    ])
  })

  it('is one profile, if only that is published', () => {
    const held = [binding('dev', 'z', 1), binding('prod', 'x', 1)]
    const text = `default_profile = "dev"\n[metadata]\nk = 1\n${profile('prod', 'x')}[profiles.prod.registry_versions]\na = 3\n${profile('dev')}`
    const { plan, result } = ask(text.replace('[metadata]\nk = 1\n', ''), held, 'prod')
    expect(plan.remove).toEqual([])
    expect(result).toMatchObject({ defaultProfile: 'default', metadata: '{}', createdAt: MADE })
    expect(result.profiles.get('prod')?.registryVersions).toEqual(new Map([['a', 3]]))
    expect(result.profiles.get('dev')).toMatchObject({ bindings: [{ alias: 'z' }] })
  })

  it('sees constraints that were spelled otherwise as the same', () => {
    const text = `${profile('prod', 'x')}constraints = { b = 1, a = 10.0 }\n`
    const held = { ...binding('prod', 'x', 1), constraints: '{"b": 1, "a": 10.0}' }
    expect(ask(text, [held])).toMatchObject({ changes: false })
    expect(ask(text, [{ ...held, constraints: '{"b": 1, "a": 10}' }])).toMatchObject({ changes: true })
  })
})

describe('the file to keep', () => {
  const times = { createdAt: MADE, updatedAt: '2026-01-02T00:00:00+00:00' }
  const keep = (text: string) => fileToKeep({ ...read(text), text, format: 'toml' }, times)

  it('is the one that was sent, comments included, with the times that it lacks', () => {
    const timed = `created_at = 2020-01-01\nupdated_at = 2020-01-01\n# ours\n${profile('a', 'x')}`
    expect(keep(timed)).toBe(timed)
    const untimed = `# ours\n${profile('a', 'x')}`
    expect(keep(untimed)).toBe(`created_at = "${MADE}"\nupdated_at = "2026-01-02T00:00:00+00:00"\n${untimed}`)
    expect(read(keep(untimed)).lockfile).toMatchObject(times)
    expect(keep(timed.replace('updated_at = 2020-01-01\n', ''))).toMatch(
      /^updated_at = .*\ncreated_at = 2020-01-01\n# ours/,
    )
  })

  it('is written anew if today’s clients would not read it', () => {
    const text = '[aliases.a]\nx = "a:b"'
    expect(read(keep(text)).lockfile).toEqual({ ...read(text).lockfile, ...times })
    expect(read(keep(text)).isDated).toBe(false)
  })

  it('is written anew as JSON if it lacks its times', () => {
    const text = '{"profiles":{}}'
    const parsed = parseLockfile(text, 'json')
    if (!parsed.ok) throw new Error('refused')
    expect(JSON.parse(fileToKeep({ ...parsed, text, format: 'json' }, times))).toMatchObject({
      created_at: MADE,
      updated_at: '2026-01-02T00:00:00+00:00',
    })
  })
})

describe('the format of a lockfile', () => {
  it.each([
    [undefined, 'toml'],
    ['*/*', 'toml'],
    ['application/json', 'json'],
    ['application/toml', 'toml'],
    ['Application/JSON; q=0.8, text/html', 'json'],
    ['application/json, application/toml', 'toml'],
    ['application/json;q=0.5, application/toml;q=0.4', 'json'],
    ['application/json;q=0', 'toml'],
    ['application/json;q=x', 'toml'],
  ])('for Accept: %s', (accept, format) => {
    expect(preferredFormat(accept)).toBe(format)
  })
})
