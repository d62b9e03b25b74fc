import { describe, expect, it } from 'vitest'
import { LOCKFILE_LIMITS, type LockfileFormat, parseLockfile } from '../../src/core/lockfile/index.js'

const TIMES = 'created_at = "2025-09-28T12:00:00Z"\nupdated_at = 2025-09-28T12:05:34.8123419Z\n'
const read = (text: string, format: LockfileFormat = 'toml') => {
  const result = parseLockfile(text, format)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result
}
const problemsOf = (text: string, format: LockfileFormat = 'toml') => {
  const result = parseLockfile(text, format)
  if (result.ok) throw new Error('nothing was refused')
  return result.problems.map(({ pointer, message }) => `${pointer}: ${message}`)
}
const bindings = (...texts: string[]) => texts.map((text) => `[[profiles.a.bindings]]\n${text}\n`).join('')

/** What of each can be read: about as many as take 50 ms, which nothing may hold the event loop for. */
const COSTLY: Record<string, readonly [number, (at: number) => string]> = {
  'names in one table': [15_000, (at) => `k${at} = 1`],
  tables: [8_000, (at) => `[t${at}]\nk = 1`],
  'lists of tables': [7_500, (at) => `[[t${at}]]`],
  'tables with many names': [900, (at) => `[[t]]\n${lines(32, (name) => `k${at}x${name} = 1`)}`],
  'tables by dotted names': [3_700, (at) => `a${at}.b.c.d.e = 1`],
  'tables around tables': [3_500, (at) => `[a${at}.b.c.d.e]`],
  'tables of one table': [6_200, (at) => `k${at} = {b = 1}`],
  bindings: [5_000, (at) => bindings(`alias = "a${at}"\nmodels = ["a:b"]`)],
  'bindings with constraints': [
    3_000,
    (at) => bindings(`alias = "a${at}"\nmodels = ["a:b"]\nconstraints = { max_cost = 1.5, min_context = 1000 }`),
  ],
}
const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n')

describe('a lockfile is read', () => {
  it.each(Object.entries(COSTLY))('with thousands of %s', (_, [most, line]) => {
    expect(parseLockfile(lines(most, line), 'toml').ok).toBe(true)
  })

  it('without time for each empty line, in and between values', () => {
    const text = `a = [${'\n'.repeat(400_000)}1]${'\n'.repeat(600_000)}version = "1.0"`
    expect(parseLockfile(text, 'toml').ok).toBe(true)
  })

  it('with everything that it holds', () => {
    const text = `${TIMES}default_profile = "prod"
      [profiles.prod]
      name = "prod"
      [profiles.prod.registry_versions]
      openai = 7
      [[profiles.prod.bindings]]
      alias = "b"
      models = ["openai:gpt-4o", "ollama:llama3.3:latest"]
      constraints = { max_cost = 10.0, min_context = 100000 }
      [[profiles.prod.bindings]]
      alias = "a"
      models = ["openai:*"]
      [extends]
      packages = ["lib_a"]
      [metadata]
      at = 2025-09-28T12:00:00.5Z`
    const { lockfile, warnings } = read(text)
    expect(warnings).toEqual([])
    expect(lockfile).toEqual({
      version: '1.0',
      createdAt: '2025-09-28T12:00:00+00:00',
      updatedAt: '2025-09-28T12:05:34.812341+00:00',
      defaultProfile: 'prod',
      profiles: new Map([
        [
          'prod',
          {
            name: 'prod',
            registryVersions: new Map([['openai', 7]]),
            bindings: [
              {
                alias: 'b',
                models: ['openai:gpt-4o', 'ollama:llama3.3:latest'],
                constraints: '{"max_cost":10.0,"min_context":100000}',
              },
              { alias: 'a', models: ['openai:*'], constraints: null },
            ],
          },
        ],
      ]),
      packages: ['lib_a'],
      metadata: '{"at":"2025-09-28T12:00:00.500000Z"}',
    })
  })

  it('without times, as one that was never published', () => {
    expect(read('').lockfile).toMatchObject({ createdAt: null, updatedAt: null, version: '1.0', metadata: '{}' })
    expect(read('{}', 'json').lockfile).toEqual(read('').lockfile)
  })

  it('alike in each of the three spellings', () => {
    const today = read(`[profiles.a]\n${bindings('alias = "x"\nmodels = ["openai:gpt-4o"]')}`).lockfile
    const august = read(`[profiles.a]\n${bindings('alias = "x"\nprovider = "openai"\nmodel = "gpt-4o"')}`).lockfile
    expect(august).toEqual(today)
    expect(read('[aliases.a]\nx = "openai:gpt-4o"').lockfile).toEqual(today)
    expect(read('{"aliases":{"a":{"x":["openai:gpt-4o"]}}}', 'json').lockfile).toEqual(today)
  })

  it.each([
    [false, `[profiles.a]\nname = "a"\n${bindings('alias = "x"\nmodels = ["openai:gpt-4o"]')}`],
    [true, `[profiles.a]\n${bindings('alias = "x"\nmodels = ["openai:gpt-4o"]')}`],
    [true, `[profiles.a]\nname = "a"\n${bindings('alias = "x"\nprovider = "openai"\nmodel = "gpt-4o"')}`],
    [true, '[aliases.a]\nx = "openai:gpt-4o"'],
  ])('and is dated (%s) if the Python client would not read it so: %s', (isDated, text) => {
    expect(read(text).isDated).toBe(isDated)
  })

  it('with names that mean something to prototypes', () => {
    const text =
      '[profiles.__proto__.registry_versions]\n__proto__ = 1\n[[profiles.__proto__.bindings]]\nalias = "constructor"\nmodels = ["a:b"]'
    const profile = read(text).lockfile.profiles.get('__proto__')
    expect(profile?.registryVersions).toEqual(new Map([['__proto__', 1]]))
    expect(profile?.bindings[0]?.alias).toBe('constructor')
    const json = '{"profiles":{"__proto__":{"bindings":[{"alias":"constructor","models":["a:b"]}]}}}'
    expect(read(json, 'json').lockfile.profiles.get('__proto__')?.bindings).toEqual(profile?.bindings)
  })

  it('with a warning for each member that no lockfile has, and for names that do not fit together', () => {
    const text = `x = 1\ndefault_profile = "b"\n[profiles.a]\nname = "c"\ny = 1\n${bindings('alias = "x"\nmodels = ["a:b"]\nz = 1')}`
    expect(read(text).warnings.map((warning) => warning.split(':')[0])).toEqual([
      '/x',
      '/profiles/a/y',
      '/profiles/a/name',
      '/profiles/a/bindings/0/z',
      '/default_profile',
    ])
    expect(read('[extends]\nmore = 1\npackages = []').warnings).toHaveLength(1)
  })

  it('with models of no provider only where that is wanted', () => {
    const text = '[aliases.a]\nx = "gpt-4o"'
    expect(problemsOf(text)).toEqual([
      "/aliases/a/x/0: 'gpt-4o' names no provider; write it as provider:model, like openai:gpt-4o-mini.",
    ])
    expect(parseLockfile(text, 'toml', { bareModels: 'keep' }).ok).toBe(true)
  })

  it('where a date names a member, and where a text looks like one', () => {
    const text =
      '[metadata]\n2025-09-28 = 2025-09-28\na = { 2025-09-29 = 12:00:00, 2025-10-04 . x = 1, b.2025-09-30 = [\n2025-10-01 # 2025\n] }\n[metadata.2025-10-02]\nq = """2025-10-03 "x" \\""""""\nr = \'\'\'it\'s 12:00:00\'\'\'\ns = "\\\\"\nt = 07:00:00'
    expect(JSON.parse(read(text).lockfile.metadata)).toEqual({
      '2025-09-28': '2025-09-28',
      '2025-10-02': { q: '2025-10-03 "x" """', r: "it's 12:00:00", s: '\\', t: '07:00:00' },
      a: { '2025-09-29': '12:00:00', '2025-10-04': { x: 1 }, b: { '2025-09-30': ['2025-10-01'] } },
    })
  })
})

describe('a lockfile is refused', () => {
  it.each([
    ['both spellings', '[profiles.a]\n[aliases.a]\n', '/aliases: The file has [profiles.…] and'],
    ['an unknown version', 'version = "2.0"', '/version: \'2.0\' is not a known version; write "1.0".'],
    ['a version that is a number', 'version = 1.0', '/version: This is not a known version'],
    ['a mark at its start', '\uFEFFversion = "1.0"', ': The file begins with a byte order mark'],
    ['torn in a table', '[profiles.default', ': This is not TOML: line 1, column '],
    ['torn in a text', 'version = "1.0"\nx = "abc', ': This is not TOML: line 2, column 5: unfinished string.'],
    ['a place behind a date', 'a = 2025-09-28\nb = [2025-09-28, x]', ': This is not TOML: line 2, column 18: '],
    ['a profile twice', '[profiles.a]\n[profiles.a]', ': This is not TOML: line 2, column 2: trying to redefine'],
    [
      'an alias twice',
      `[profiles.a]\n${bindings('alias = "x"\nmodels = ["a:b"]', 'alias = "x"\nmodels = ["a:c"]')}`,
      "/profiles/a/bindings/1/alias: 'x' is bound at 0 already.",
    ],
    [
      'two models of two spellings',
      `${bindings('alias = "x"\nmodels = ["a:b"]\nprovider = "a"\nmodel = "c"')}`,
      '/profiles/a/bindings/0/models: The binding has `models` and',
    ],
    ['no model', bindings('alias = "x"'), '/profiles/a/bindings/0/models: A binding needs `models`'],
    ['an empty list', bindings('alias = "x"\nmodels = []'), '/profiles/a/bindings/0/models: At least one'],
    [
      'an incomplete model',
      bindings('alias = "x"\nmodels = ["a:b", "openai:"]'),
      "/profiles/a/bindings/0/models/1: 'openai:' is incomplete; write it as provider:model",
    ],
    [
      'a model with a line break',
      bindings('alias = "x"\nmodels = ["a:b\\n"]'),
      "/profiles/a/bindings/0/models/0: 'a:b\uFFFD' has space around it.",
    ],
    [
      'models that are a text',
      bindings('alias = "x"\nmodels = "a:b"'),
      '/profiles/a/bindings/0/models: This must be a list.',
    ],
    [
      'an alias of a path',
      bindings('alias = ".."\nmodels = ["a:b"]'),
      "/profiles/a/bindings/0/alias: An alias must not be '.'",
    ],
    [
      'a blank alias',
      bindings('alias = " "\nmodels = ["a:b"]'),
      '/profiles/a/bindings/0/alias: This must not be blank.',
    ],
    [
      'constraints that are a list',
      bindings('alias = "x"\nmodels = ["a:b"]\nconstraints = [1]'),
      '/profiles/a/bindings/0/constraints: Constraints must be a table',
    ],
    ['a profile that is a text', '[profiles]\na = "x"', '/profiles/a: This must be a table.'],
    ['a time that is none', 'created_at = "yesterday"', '/created_at: This must be a date and time'],
    ['a time of day', 'created_at = 12:00:00', '/created_at: This must be a date and time'],
    ['a day of no calendar', 'created_at = 2025-02-29', "/created_at: '2025-02-29' is not a date or time that exists."],
    [
      'a registry version and a half',
      '[profiles.a.registry_versions]\nx = 7.5',
      '/profiles/a/registry_versions/x: A registry',
    ],
    [
      'a registry version beyond 2^53',
      '[profiles.a.registry_versions]\nx = "9007199254740993"',
      '/profiles/a/registry_versions/x: A',
    ],
    [
      'a package of no name',
      '[extends]\npackages = ["-a"]',
      "/extends/packages/0: '-a' is not the name of a Python package.",
    ],
    ['too deep', `[metadata]\na = ${'{ a = '.repeat(40)}1${' }'.repeat(40)}`, '/metadata/a/a'],
    ['too deep a key', `metadata.${'a.'.repeat(40)}a = 1`, '/metadata/a/a'],
    [
      'too long an integer',
      `[metadata]\na = ${'9'.repeat(4_301)}`,
      '/metadata/a: The integer has more than 4300 digits.',
    ],
    [
      'too long a name',
      `[aliases.a]\n${'x'.repeat(256)} = "a:b"`,
      `/aliases/a/${'x'.repeat(256)}: This has more than 255`,
    ],
    ['too many models', `[aliases.a]\nx = [${'"a:b",'.repeat(33)}]`, '/aliases/a/x: There are 33 here, and 32 at most'],
    [
      'too large constraints',
      bindings(`alias = "x"\nmodels = ["a:b"]\nconstraints = { k = "${'x'.repeat(65_536)}" }`),
      '/profiles/a/bindings/0/constraints: This has more than 65536 characters as JSON.',
    ],
    ['too many values', `a = [${'1,'.repeat(62_500)}]`, ': The file has too many tables, names and values.'],
    ['too large', '#'.repeat(LOCKFILE_LIMITS.textCharactersMax + 1), ': The file has more than 1048576 characters.'],
  ])('for %s', (_, text, problem) => {
    const [first, ...others] = problemsOf(text)
    expect(first?.slice(0, problem.length)).toBe(problem)
    expect(others).toEqual([])
  })

  it.each(Object.entries(COSTLY))('for more %s than are read in time', (_, [most, line]) => {
    expect(problemsOf(lines(most + most / 10, line))).toEqual([': The file has too many tables, names and values.'])
  })

  it.each([
    ['a torn text', '{"profiles": {"a', '/profiles: This is not JSON: line 1, column 15: a string does not end'],
    ['a name twice', '{"profiles":{"a":{},"a":{}}}', '/profiles/a: This name occurs twice in its object.'],
    [
      'a comma',
      '{"version":"1.0",}',
      ": This is not JSON: line 1, column 18: a name in double quotes is missing, before '}'.",
    ],
    ['an end', '{}\n{}', ": This is not JSON: line 2, column 1: the document goes on after its end, before '{}'."],
    ['no table', '[]', ': This must be a table.'],
    [
      'half a pair',
      '{"aliases":{"a":{"x":"a:\\ud800"}}}',
      "/aliases/a/x/0: 'a:\uFFFD' holds NUL or half a surrogate pair.",
    ],
    ['NUL', '{"aliases":{"a":{"x":"a:\\u0000"}}}', "/aliases/a/x/0: 'a:\uFFFD' holds NUL or half a surrogate pair."],
    ['depth', `{"metadata":${'{"a":'.repeat(41)}`, `/metadata${'/a'.repeat(39)}: This is not JSON: line 1, column`],
    [
      'a long integer',
      `{"metadata":{"a":${'9'.repeat(4_301)}}}`,
      '/metadata/a: This is not JSON: line 1, column 18: an integer has',
    ],
    [
      'many values',
      `[${'1,'.repeat(150_001)}1]`,
      '/149999: This is not JSON: line 1, column 300000: there are too many values',
    ],
  ])('as JSON for %s', (_, text, problem) => {
    const [first, ...others] = problemsOf(text, 'json')
    expect(first?.slice(0, problem.length)).toBe(problem)
    expect(others).toEqual([])
  })

  it('for text that no database keeps, if it is to be kept in one', () => {
    const text = '{"metadata":{"a":[{"b":"\\u0000"}],"\\u0000":1},"aliases":{}}'
    expect(parseLockfile(text, 'json').ok).toBe(true)
    const result = parseLockfile(text, 'json', { unstorableText: 'refuse' })
    expect(result.ok ? [] : result.problems.map(({ pointer }) => pointer)).toEqual(['/metadata/a/0/b', '/metadata'])
    const half = parseLockfile('{"metadata":{"a":"\\ud800"}}', 'json', { unstorableText: 'refuse' })
    expect(half).toMatchObject({ ok: false, problems: [{ pointer: '/metadata/a' }] })
  })

  it.each([
    ['', 'toml'],
    ['version = "1.0"', 'toml'],
    ['{}', 'json'],
    ['{"Profiles":{}}', 'json'],
  ] as const)('for naming no profiles, if it says what shall be bound: %s', (text, format) => {
    expect(parseLockfile(text, format).ok).toBe(true)
    const result = parseLockfile(text, format, { missingProfiles: 'refuse' })
    expect(result).toMatchObject({ ok: false, problemCount: 1, problems: [{ pointer: '/profiles' }] })
    const [table, older] = format === 'toml' ? ['[profiles]', '[aliases]'] : ['{"profiles":{}}', '{"aliases":{}}']
    for (const explicit of [table, older]) {
      expect(parseLockfile(explicit, format, { missingProfiles: 'refuse' }).ok).toBe(true)
    }
  })

  it('for all of its problems together, of which twenty are shown', () => {
    const text = 'version = "3"\ncreated_at = 5\n[aliases.a]\nx = "gpt"\ny = []\n" " = "a:b"\n[extends]\npackages = [1]'
    expect(problemsOf(text).map((problem) => problem.split(':')[0])).toEqual(
      expect.arrayContaining([
        '/version',
        '/created_at',
        '/aliases/a/x/0',
        '/aliases/a/y',
        '/aliases/a/ ',
        '/extends/packages/0',
      ]),
    )
    const many = parseLockfile(`[profiles.a]\nbindings = [${'{},'.repeat(500)}]`, 'toml')
    expect(many).toMatchObject({ ok: false, problemCount: 1_000 })
    expect(many.ok ? [] : many.problems).toHaveLength(20)
  })
})
