import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, type Lockfile, parseLockfile, renderLockfile } from '../../src/core/lockfile/index.js'
import { digestsOf } from '../unit/lockfile-digests.js'

const ODD = [
  '__proto__',
  'toString',
  '10',
  '9',
  'a.b',
  'a b',
  '2025-09-28',
  '12:00:00',
  '"',
  "'''",
  '\\',
  '#',
  '\u007f',
]
const names = fc
  .oneof(fc.constantFrom(...ODD), fc.string({ unit: 'binary', maxLength: 6 }))
  .filter((name) => name.trim() !== '' && name !== '.' && name !== '..' && !name.includes('\0') && name.isWellFormed())
const numbers = fc.oneof(
  fc.bigInt().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
)
const objects = fc
  .dictionary(
    fc.oneof(names, fc.constant('')),
    fc.oneof(
      numbers,
      fc.json({ maxDepth: 3, stringUnit: 'binary' }),
      fc.date().map((date) => JSON.stringify(date)),
    ),
    { maxKeys: 4, noNullPrototype: true },
  )
  .map((members) =>
    canonicalText(`{${Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`)}}`),
  )
const models = fc.array(
  names.map((name) => `openai:${name}x`),
  { minLength: 1, maxLength: 3 },
)
const profiles = fc.record({
  name: names,
  registryVersions: fc.array(fc.tuple(names, fc.maxSafeInteger())).map((entries) => new Map(entries)),
  bindings: fc.uniqueArray(fc.record({ alias: names, models, constraints: fc.option(objects) }), {
    selector: ({ alias }) => alias,
    maxLength: 4,
  }),
})
const times = fc.option(
  fc.constantFrom('2025-09-28T12:00:00+00:00', '2025-09-28T12:00:00.812341', '0001-01-01T00:00:00-07:00'),
)
const lockfiles: fc.Arbitrary<Lockfile> = fc.record({
  version: fc.constant('1.0'),
  createdAt: times,
  updatedAt: times,
  defaultProfile: names,
  profiles: fc.array(fc.tuple(names, profiles), { maxLength: 3 }).map((entries) => new Map(entries)),
  packages: fc.array(fc.constantFrom('a', 'b-c')),
  metadata: objects,
})

describe('any lockfile', () => {
  it.each(['toml', 'json'] as const)('is the same after it was written and read as %s', (format) => {
    fc.assert(
      fc.property(lockfiles, (lockfile) => {
        const text = renderLockfile(lockfile, format)
        const result = parseLockfile(text, format)
        if (!result.ok) throw new Error(JSON.stringify(result.problems))
        expect(digestsOf(result.lockfile)).toEqual(digestsOf(lockfile))
        expect(result.lockfile.profiles).toEqual(lockfile.profiles)
        expect(result.lockfile).toMatchObject({ createdAt: lockfile.createdAt, updatedAt: lockfile.updatedAt })
        expect(renderLockfile(result.lockfile, format)).toBe(text)
      }),
      { numRuns: 150 },
    )
  })

  it('is read, or refused with a reason, however it was torn and mixed', () => {
    const pieces = fc.constantFrom(
      ...[
        '[',
        ']',
        '{',
        '}',
        '"',
        "'",
        '"""',
        "'''",
        '=',
        ',',
        '.',
        '#',
        '\n',
        '\\',
        ' ',
        '1',
        '-',
        '2025-09-28',
        '12:00:00',
      ],
      ...[
        'profiles',
        'aliases',
        'bindings',
        'models',
        'a:b',
        'version',
        'null',
        'true',
        'NaN',
        '\u0000',
        '\ud800',
        '\r',
      ],
    )
    const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, fc.constantFrom('toml' as const, 'json' as const), (text, format) => {
        const result = parseLockfile(text, format)
        if (!result.ok) expect(result.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })
})
