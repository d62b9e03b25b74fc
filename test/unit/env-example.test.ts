import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENVIRONMENT, readEnvironment } from '../../src/config/env.js'

const text = readFileSync(join(import.meta.dirname, '..', '..', '.env.example'), 'utf8')
const SETTING = /^#(LLMRING_[A-Z0-9_]+)=(.*)$/gm
const shown = [...text.matchAll(SETTING)].map(([, name = '', value = '']) => [name, value] as const)

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmring-env-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function readFile(contents: string) {
  writeFileSync(join(directory, '.env'), contents)
  return readEnvironment(directory, {})
}

describe('.env.example', () => {
  test('shows every setting of the service once, and nothing else', () => {
    expect(shown.map(([name]) => name).sort()).toEqual(Object.keys(ENVIRONMENT.shape).sort())
  })

  test('changes nothing as it stands', () => {
    expect(parse(text)).toEqual({})
  })

  test('changes nothing either with every # taken off: each value is the default', () => {
    const none = { sources: null, variable: null }
    expect({ ...readFile(text.replaceAll(SETTING, '$1=$2')), ...none }).toEqual({ ...readFile(''), ...none })
  })

  test('shows no value exactly where a setting has no default', () => {
    const defaults: Record<string, unknown> = ENVIRONMENT.parse({})
    for (const [name, value] of shown) expect([name, value === '']).toEqual([name, defaults[name] === undefined])
  })

  test('says something about every setting', () => {
    const lines = text.split('\n')
    const described = lines.filter((line, index) => line.startsWith('#LLMRING_') && /^# ./.test(lines[index - 1] ?? ''))
    const beneath = lines.filter(
      (line, index) => line.startsWith('#LLMRING_') && (lines[index - 1] ?? '').startsWith('#LLMRING_'),
    )
    expect(described.length + beneath.length).toBe(shown.length)
    expect(described.length).toBeGreaterThan(shown.length / 2)
  })

  test('holds no key, no password and no address of anybody', () => {
    expect(text).not.toMatch(/-----BEGIN|sk-[a-z0-9]|lrk_/i)
  })
})

describe('a .env that cannot be used', () => {
  const complaint = (fault: string) => ({ ok: false, faults: [expect.stringContaining(fault)] })

  test.each(['LLMRING_PROJECTS closed\n', '  export LLMRING_PROJECTS\n', 'LLMRING_PORT=1\nLLMRING_PROJECTS\n'])(
    'for its line without a value is a fault: %j',
    (text) =>
      expect(readFile(text)).toEqual(complaint('.env: the line that begins with LLMRING_PROJECTS is not NAME=value')),
  )

  test.each(['# LLMRING_PROJECTS closed\n', 'OTHER thing\n', 'LLMRING_PROJECTS=\n', 'LLMRING_PROJECTS: closed\n'])(
    'is not one with %j',
    (text) => expect(readFile(text)).toMatchObject({ ok: true }),
  )

  test('for it is a folder is a fault', () => {
    const place = mkdtempSync(join(directory, 'folder-'))
    mkdirSync(join(place, '.env'))
    expect(readEnvironment(place, {})).toEqual(complaint('must be a file that this user may read (EISDIR)'))
  })
})
