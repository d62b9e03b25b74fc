import { describe, expect, test } from 'vitest'
import { functionLengths } from './function-lengths.js'
import { readSourceFiles } from './source-files.js'

const LIMITS = { fileLinesMax: 250, medianLinesMax: 80, functionLinesMax: 50 } as const

const source = readSourceFiles('src')
const tests = readSourceFiles('test').filter((file) => !file.path.startsWith('test/bench/'))
const sum = (files: typeof source): number => files.reduce((lines, file) => lines + file.lines, 0)

const UNIT =
  /(ms|seconds|minutes|days|bytes|characters|chars|rows|projects|receipts|lanes)|(max|min|default|share|attempts)/i
/** What one unit of time is in another limits nothing. */
const CONVERSION = /^(SECOND|MINUTE|HOUR|DAY)_MS$/

/** Limits outside of their file, and members of a limits.ts whose names have neither a unit nor a bound. */
function strayLimits({ path, text }: { readonly path: string; readonly text: string }): string[] {
  // What core bounds belongs to the formats that it defines, and is exported beside them.
  if (path.startsWith('src/core/')) return []
  const isLimits = path.endsWith('/limits.ts')
  const found = isLimits
    ? text.matchAll(/^ {2}(\w+): [\d_]+/gm)
    : text.matchAll(/^(?:export )?const (\w*(?:_MAX|_MIN|_MS|_SECONDS|Max|Min|Ms|Seconds)) = [\d(]/gm)
  const names = [...found].map(([, name = '']) => name)
  return names
    .filter((name) => (isLimits ? !UNIT.test(name) : !CONVERSION.test(name)))
    .map((name) => `${path}: ${name}`)
}

describe('the source', () => {
  test(`has no file of more than ${LIMITS.fileLinesMax} lines`, () => {
    const long = source.filter((file) => file.lines > LIMITS.fileLinesMax)
    expect(long.map((file) => `${file.path}: ${file.lines}`)).toEqual([])
  })

  test(`has a median file of at most ${LIMITS.medianLinesMax} lines`, () => {
    const lines = source.map((file) => file.lines).sort((one, other) => one - other)
    const median = lines[Math.floor(lines.length / 2)] ?? Number.POSITIVE_INFINITY
    console.info(
      `${source.length} source files, median ${median} lines, longest ${lines.at(-1)}, ${sum(source)} in all`,
    )
    expect(median).toBeLessThanOrEqual(LIMITS.medianLinesMax)
  })

  test(`has no function of more than ${LIMITS.functionLinesMax} lines, counted with the functions inside it`, () => {
    const functions = source.flatMap(({ path, text }) =>
      functionLengths(path, text).map(({ name, line, lines }) => ({ at: `${path}:${line} ${name}`, lines })),
    )
    expect(functions.length).toBeGreaterThan(source.length)
    const long = functions.filter(({ lines }) => lines > LIMITS.functionLinesMax)
    expect(long.map(({ at, lines }) => `${at}: ${lines} lines`)).toEqual([])
  })

  test('has every limit in a limits.ts, of which the name says the unit', () => {
    expect(source.flatMap(strayLimits)).toEqual([])
    const planted = ['const WAIT_MS_MAX = 5_000', 'export const sliceMsMax = 8', 'const KEPT_BYTES_MAX = 4 * 1024']
    for (const text of planted) expect(strayLimits({ path: 'src/http/planted.ts', text })).toHaveLength(1)
    const unmarked = "const LIMITS = {\n  queue: 5,\n  waitMsMax: 5,\n  note: 'x',\n}\n"
    expect(strayLimits({ path: 'src/http/limits.ts', text: unmarked })).toEqual(['src/http/limits.ts: queue'])
  })

  test('has at least as many lines of tests', () => {
    console.info(`${sum(tests)} lines of tests for ${sum(source)} lines of source`)
    expect(sum(tests)).toBeGreaterThanOrEqual(sum(source))
  })

  test('re-exports files of its own at the doors of core and of the client only', () => {
    const barrels = source.filter((file) => /^export [^=]*? from '\.\.?\//m.test(file.text)).map((file) => file.path)
    const doors = source.filter((file) => file.path.endsWith('/index.ts')).map((file) => file.path)
    for (const path of [...barrels, ...doors]) expect(path).toMatch(/^src\/(core\/[a-z0-9]+|client)\/index\.ts$/)
    expect(doors.length).toBeGreaterThan(1)
  })
})

describe('source and tests', () => {
  const all = [...source, ...tests]

  test('have kebab-case names that say what is inside', () => {
    const part = /^[a-z0-9]+(-[a-z0-9]+)*$/
    const empty = /(^|\/)(utils?|helpers?|services|types|common|misc|shared|lib)(\/|\.ts$)/
    for (const { path } of all) {
      for (const name of path.replace(/(\.test|\.config)?\.ts$/, '').split('/')) expect(name, path).toMatch(part)
      expect(path).not.toMatch(empty)
    }
  })

  test('put nothing off', () => {
    // Written so that this line does not find itself.
    const later = /\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/
    expect(all.filter((file) => later.test(file.text)).map((file) => file.path)).toEqual([])
  })
})

describe('the length of a function', () => {
  const lengths = (text: string) =>
    Object.fromEntries(functionLengths('case.ts', text).map(({ name, lines }) => [name, lines]))

  test('counts every line it spans', () => {
    expect(lengths('function long() {\n  a()\n  b()\n  c()\n}\n')).toEqual({ long: 5 })
  })

  test('counts the functions inside it, and each of those by itself', () => {
    const factory = 'const make = () => {\n  const inner = () => {\n    a()\n    b()\n    c()\n  }\n  return inner\n}\n'
    expect(lengths(factory)).toEqual({ make: 8, inner: 5 })
  })

  test('is found for methods, arrows and functions in objects', () => {
    expect(lengths('class A {\n  m() {\n    a()\n  }\n}\nconst o = {\n  f: () => {\n    a()\n  },\n}\n')).toEqual({
      m: 3,
      f: 3,
    })
  })
})
