import { describe, expect, test } from 'vitest'
import { functionLengths } from './function-lengths.js'
import { readSourceFiles } from './source-files.js'

const LIMITS = { fileLinesMax: 250, medianLinesMax: 80, functionLinesMax: 50 } as const

const source = readSourceFiles('src')
const tests = readSourceFiles('test').filter((file) => !file.path.startsWith('test/bench/'))
const sum = (files: typeof source): number => files.reduce((lines, file) => lines + file.lines, 0)

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

  test(`has no function of more than ${LIMITS.functionLinesMax} lines of its own`, () => {
    const long = source.flatMap(({ path, text }) =>
      functionLengths(path, text)
        .filter(({ lines }) => lines > LIMITS.functionLinesMax)
        .map(({ name, line, lines }) => `${path}:${line} ${name}: ${lines}`),
    )
    expect(long).toEqual([])
  })

  test('has at least as many lines of tests', () => {
    console.info(`${sum(tests)} lines of tests for ${sum(source)} lines of source`)
    expect(sum(tests)).toBeGreaterThanOrEqual(sum(source))
  })

  test('re-exports files of its own at the doors of core only', () => {
    const barrels = source.filter((file) => /^export [^=]*? from '\.\.?\//m.test(file.text)).map((file) => file.path)
    const doors = source.filter((file) => file.path.endsWith('/index.ts')).map((file) => file.path)
    for (const path of [...barrels, ...doors]) expect(path).toMatch(/^src\/core\/[a-z0-9]+\/index\.ts$/)
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

  test('leaves out the inside of the functions in it', () => {
    const factory = 'const make = () => {\n  const inner = () => {\n    a()\n    b()\n    c()\n  }\n  return inner\n}\n'
    expect(lengths(factory)).toEqual({ make: 5, inner: 5 })
  })

  test('is found for methods, arrows and functions in objects', () => {
    expect(lengths('class A {\n  m() {\n    a()\n  }\n}\nconst o = {\n  f: () => {\n    a()\n  },\n}\n')).toEqual({
      m: 3,
      f: 3,
    })
  })
})
