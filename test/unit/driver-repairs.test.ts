import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DRIVER_VERSION, loadDriver } from '../../src/db/driver/load-driver.js'
import { REPAIRS } from '../../src/db/driver/postgres.js'
import { type Repair, repairText } from '../../src/db/driver/repairs.js'

const repair = (find: string, replace: string, file = 'index.js'): Repair => ({
  name: 'a-repair',
  fault: 'It went wrong.',
  file,
  edits: [{ find, replace }],
})

describe('a text is repaired', () => {
  it('where the place is, and nowhere else', () => {
    expect(repairText('index.js', 'one two three', [repair('two', '2')])).toBe('one 2 three')
    expect(repairText('index.js', 'one two three', [repair('two', '2', 'other.js')])).toBe('one two three')
  })

  it('with what stands there, whatever it means to a replacement', () => {
    expect(repairText('index.js', 'one two', [repair('two', "$& $' $1 $$")])).toBe("one $& $' $1 $$")
  })

  it('not at all where the place is missing, or there twice', () => {
    expect(() => repairText('index.js', 'one three', [repair('two', '2')])).toThrow(/'a-repair' 0 times/)
    expect(() => repairText('index.js', 'two two', [repair('two', '2')])).toThrow(/'a-repair' 2 times/)
  })
})

describe('the driver is loaded', () => {
  let root: string
  let entry: string
  const write = (name: string, text: string) => writeFileSync(join(root, name), text)

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'llmring-driver-'))
    mkdirSync(join(root, 'cjs/src'), { recursive: true })
    entry = join(root, 'cjs/src/index.js')
    write('package.json', JSON.stringify({ version: DRIVER_VERSION }))
    write('cjs/package.json', '{"type":"commonjs"}')
    write(
      'cjs/src/index.js',
      "module.exports = { own: 'fault', inner: require('./inner.js'), other: require('./other.js') }",
    )
    write('cjs/src/inner.js', "exports.text = require('./other.js').text + ' fault'")
    write('cjs/src/other.js', "exports.text = require('node:path').basename(__filename)")
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('with the repairs of each of its files, which stay as they are on the disk', () => {
    const repairs = [repair("'fault'", "'mended'"), repair(' fault', ' mended', 'inner.js')]
    expect(loadDriver(repairs, entry)).toMatchObject({ own: 'mended', inner: { text: 'other.js mended' } })
    expect(loadDriver([], entry)).toMatchObject({ own: 'fault', inner: { text: 'other.js fault' } })
  })

  it('not when it is another version', () => {
    write('package.json', JSON.stringify({ version: '3.4.10' }))
    expect(() => loadDriver([], entry)).toThrow(/3\.4\.10 is installed, but its repairs are for 3\.4\.9/)
  })

  it('not when a place is missing or there twice, in any file', () => {
    expect(() => loadDriver([repair('nowhere', '')], entry)).toThrow(/index\.js .* 0 times/)
    expect(() => loadDriver([repair('t', '', 'inner.js')], entry)).toThrow(/inner\.js .* \d+ times/)
  })

  it('not when a repair is of a file that it does not load', () => {
    expect(() => loadDriver([repair('x', 'y', 'elsewhere.js')], entry)).toThrow(/does not load elsewhere\.js/)
  })
})

describe('the repairs', () => {
  it('find all their places in the installed driver', () => {
    expect(loadDriver(REPAIRS)).toBeTypeOf('function')
  })

  it('need every one of their places', () => {
    for (const broken of REPAIRS.flatMap((one) =>
      one.edits.map((edit) => ({ ...one, edits: [{ ...edit, find: `${edit.find} gone` }] })),
    )) {
      const others = REPAIRS.filter((one) => one.name !== broken.name)
      expect(() => loadDriver([...others, broken])).toThrow(`'${broken.name}' 0 times`)
    }
  })

  it('each say in a sentence what went wrong', () => {
    for (const { fault } of REPAIRS) expect(fault).toMatch(/^[A-Z].{30,}\.$/)
    const keys = REPAIRS.map(({ file, name }) => `${file} ${name}`)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
