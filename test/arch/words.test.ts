import { describe, expect, test } from 'vitest'
import { readSourceFiles } from './source-files.js'
import { type Word, wordsOf } from './source-words.js'

const files = readSourceFiles('src')
const said = files.flatMap(({ path, text }) => wordsOf(path, text).map((word) => ({ path, ...word })))

/** The places outside `allowed` where the source says such a word. */
function outside(kind: Word['kind'], allowed: RegExp): string[] {
  const here = said.filter((word) => word.kind === kind && !allowed.test(word.path))
  return here.map(({ path, line }) => `${path}:${line}`)
}

describe('in the source', () => {
  test('the environment is read in one file', () => {
    expect(outside('environment', /^src\/config\/env\.ts$/)).toEqual([])
    expect(outside('environment', /^$/)).toHaveLength(1)
  })

  test('SQL is written in db and in stores', () => {
    expect(outside('statement', /^src\/(db\/|features\/[^/]+\/(.+-)?store\.ts$)/)).toEqual([])
    expect(outside('statement', /^$/).length).toBeGreaterThan(20)
  })

  test('core names no clock, no chance, no process and nothing that a browser does not have', () => {
    expect(outside('impure', /^src\/(?!core\/)/)).toEqual([])
    expect(outside('impure', /^$/).length).toBeGreaterThan(20)
  })

  test('every export has a name', () => {
    expect(outside('default export', /^$/)).toEqual([])
  })

  test('the driver is loaded with its repairs, here and in the tests', () => {
    // To take every file apart would cost seconds.
    const all = [...files, ...readSourceFiles('test')].filter(({ text }) => /['"`]postgres['"`]/.test(text))
    expect(all.length).toBeGreaterThan(2)
    const loading = all.filter(({ path, text }) => wordsOf(path, text).some(({ kind }) => kind === 'driver'))
    expect(loading.map(({ path }) => path)).toEqual([])
  })

  test('no connection is reserved, no cursor opened, and no transaction begun or ended by hand', () => {
    expect(outside('session', /^$/)).toEqual([])
  })

  test('no check is switched off', () => {
    const switches = new RegExp(['@ts-(?:ignore|expect-error|nocheck)', 'biome-ignore', 'eslint-'].join('|'))
    expect(files.filter((file) => switches.test(file.text)).map((file) => file.path)).toEqual([])
  })
})

describe('the reader of words finds', () => {
  const CASES: readonly (readonly [Word['kind'], string])[] = [
    ['environment', 'const port = process.env.PORT'],
    ['environment', "const port = process['env'].PORT"],
    ['environment', 'const { env } = process'],
    ['statement', 'await sql`select 1`'],
    ['statement', 'await deps.sql<Row[]>`select 1`'],
    ['statement', "await client.unsafe('select 1')"],
    ['impure', 'const now = Date.now()'],
    ['impure', 'const now = new Date()'],
    ['impure', 'const dice = Math.random()'],
    ['impure', 'const bytes = Buffer.from(text)'],
    ['impure', 'setTimeout(run, 1)'],
    ['impure', 'const text = await fetch(url)'],
    ['impure', 'const id = crypto.randomUUID()'],
    ['default export', 'export default function run() {}'],
    ['default export', 'export default 1'],
    ['session', 'const connection = await client.reserve()'],
    ['session', 'for await (const rows of sql`select 1`.cursor(10)) use(rows)'],
    ['session', 'await sql`begin`'],
    ['session', 'await sql`begin isolation level repeatable read`'],
    ['session', "await sql.unsafe('commit; select 1')"],
    ['driver', "import postgres from 'postgres'"],
    ['driver', "import { type Sql } from 'postgres'"],
    ['driver', "import 'postgres'"],
    ['driver', "export { default } from 'postgres'"],
    ['driver', "const postgres = await import('postgres')"],
    ['driver', "const postgres = require('postgres')"],
  ]
  test.each(CASES)('%s in: %s', (kind, text) => {
    expect(wordsOf('case.ts', text).map((word) => word.kind)).toContain(kind)
  })

  const INNOCENT: readonly string[] = [
    'const at = new Date(text)',
    'const millis = Date.parse(text)',
    'type Deps = { readonly fetch: Fetch }',
    'const { value: process } = step',
    'const held = { crypto: 1 }.crypto',
    'const line = html`<p>`',
    'await sql.begin(work)',
    "const verb = 'commit the group'",
    "import type postgres from 'postgres'",
    "import { connectPostgres } from './driver/postgres.js'",
  ]
  test.each(INNOCENT)('nothing in: %s', (text) => {
    expect(wordsOf('case.ts', text)).toEqual([])
  })
})
