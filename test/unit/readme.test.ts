import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.js'
import { ENVIRONMENT } from '../../src/config/env.js'
import {
  allBlocks,
  DOCUMENTS,
  keepsPromise,
  promisedPrint,
  README,
  ROOT,
  readBlocks,
  readSteps,
} from '../support/readme.js'

const blocks = allBlocks()
const everything = DOCUMENTS.map(({ text }) => text).join('\n')
const textsOf = (kind: string) => blocks.filter((block) => block.kind === kind).map((block) => block.text)
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/**
 * How each kind of block is checked. `sh`, `python` and `ts` are run by the process test, `js` by the test of webhooks; the
 * others are looked at here or there.
 */
const KINDS = ['sh', 'python', 'ts', 'js', 'console', 'sql', 'caddyfile', 'text']

describe("the README's blocks", () => {
  test('are of kinds that are checked, every one of them', () => {
    expect(blocks.filter(({ kind }) => !KINDS.includes(kind))).toEqual([])
    expect(blocks.length).toBe((everything.match(/^ *```/gm)?.length ?? 0) / 2)
    expect([...new Set(blocks.map(({ kind }) => kind))].sort()).toEqual([...KINDS].sort())
  })

  test('hold the two commands to start and to test, each alone in its block', () => {
    const shell = textsOf('sh')
    expect(shell.filter((text) => text === 'npm ci && npm start')).toHaveLength(1)
    expect(shell.filter((text) => text === 'npm ci && npm test')).toHaveLength(1)
    expect(shell.filter((text) => /npm (start|test|ci)/.test(text))).toHaveLength(2)
  })

  test('leave commands to a console only where they need Docker, or a secret of their own', () => {
    const commands = textsOf('console').flatMap((text) => text.split('\n'))
    expect(commands.length).toBeGreaterThan(0)
    for (const command of commands)
      expect(command).toMatch(
        /^\$ (docker compose |touch \.env && chmod 600 \.env$|echo "[A-Z0-9_]+=\$\(openssl rand )/,
      )
  })

  test('make the file of secrets with a mode of its own before anything is written to it', () => {
    for (const text of textsOf('console').filter((block) => block.includes('>> .env'))) {
      expect(text.split('\n')[0]).toBe('$ touch .env && chmod 600 .env')
    }
  })

  test('make secrets in a console that the settings accept', () => {
    for (const [, name = '', command = ''] of everything.matchAll(/echo "(LLMRING_\w+)=\$\((openssl rand [^)]*)\)"/g)) {
      const value = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim()
      expect(Object.keys(ENVIRONMENT.shape)).toContain(name)
      expect(ENVIRONMENT.safeParse({ [name]: value }).error).toBeUndefined()
    }
    expect(everything).toMatch(/echo "LLMRING_RECEIPTS_PRIVATE_KEY_B64=\$\(openssl rand -base64 32\)"/)
  })

  test('show a layout whose every path exists', () => {
    const [layout = ''] = textsOf('text')
    const paths = layout.split('\n').map((line) => line.slice(0, 21).split(', ')[0]?.trim() ?? '')
    expect(paths.length).toBeGreaterThan(8)
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).toBe(true)
    const folders = (path: string) =>
      readdirSync(join(ROOT, path), { withFileTypes: true }).filter((e) => e.isDirectory())
    for (const { name } of folders('src')) expect(layout).toContain(name)
    for (const { name } of folders('src/features')) expect(layout).toContain(name)
  })
})

describe("the README's test command", () => {
  test('is what the gate runs', () => {
    expect(read('.ci/run')).toMatch(/^npm ci\b[\s\S]*^npm test\b/m)
  })
})

describe('the README', () => {
  test('names every command of the program, and no other', async () => {
    const sentence = /^The commands are ([^;]*);/m.exec(README.text)?.[1] ?? ''
    const named = [...sentence.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name)
    const program = await createProgram(['--help'])
    expect(named.sort()).toEqual(program.commands.map((command) => command.name()).sort())
  })

  test('and what it links to, link to files and headings that exist', () => {
    const links = DOCUMENTS.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => ({ path, target })),
    )
    expect(links.length).toBeGreaterThan(8)
    for (const { path, target } of links) {
      const [file = '', heading] = target.split('#')
      const linked = join(ROOT, file === '' ? path : join(dirname(path), file))
      expect(existsSync(linked), `${path}: ${target}`).toBe(true)
      if (heading !== undefined) expect(headingsOf(readFileSync(linked, 'utf8')), target).toContain(heading)
    }
  })

  test('mentions settings that exist', () => {
    for (const [name] of everything.matchAll(/LLMRING_[A-Z0-9_]+/g)) {
      expect(Object.keys(ENVIRONMENT.shape)).toContain(name)
    }
  })

  test('mentions scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const [, script = ''] of everything.matchAll(/npm run ([a-z]+)/g))
      expect(Object.keys(scripts)).toContain(script)
  })
})

/** The headings of a Markdown text as the ends of links. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
}

describe('a promised output', () => {
  test('is kept by the very output, with anything in place of …', () => {
    expect(keepsPromise('{"a":1,"b":[2],"c":3}\n', '{"a":1,…,"c":3}')).toBe(true)
    expect(keepsPromise('one\ntwo', 'one\ntwo')).toBe(true)
    for (const other of ['{"a":1,"c":3}', '{"a":1,"b":2,"c":4}', 'x{"a":1,"b":2,"c":3}', '']) {
      expect(keepsPromise(other, '{"a":1,…,"c":3}')).toBe(false)
    }
  })

  test('belongs to the commands above it', () => {
    const [block] = readBlocks('# T\n```sh\na\n\nb\n# 1\n# 2\nc\n```\n')
    expect(block).toMatchObject({ kind: 'sh', heading: 'T', line: 2 })
    expect(block && readSteps(block)).toEqual([
      { commands: 'a\nb', promised: '1\n2' },
      { commands: 'c', promised: undefined },
    ])
  })

  test('of a program is the comment that it ends with', () => {
    const [block] = readBlocks('```python\n# a\nprint(1)\n# 1\n# 2\n```\n')
    expect(block && promisedPrint(block)).toBe('1\n2')
  })

  test('stands in a block that is closed, and not above its command', () => {
    expect(() => readBlocks('```sh\na\n')).toThrow(/not closed/)
    expect(() => readSteps({ kind: 'sh', heading: '', text: '# 1\na', line: 1 })).toThrow(/comment/)
  })
})
