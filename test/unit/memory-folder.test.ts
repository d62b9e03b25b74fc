import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMemoryFolder } from '../support/memory-folder.js'

const PLENTY = 2 ** 40
/** No process has it. */
const GONE = 2 ** 30
const LONG_AGO_SECONDS = 1_000_000

let memory: string
beforeEach(() => {
  memory = mkdtempSync(join(tmpdir(), 'llmring-memory-'))
})
afterEach(() => rmSync(memory, { recursive: true, force: true }))

const open = () => openMemoryFolder(memory, PLENTY)

function leave(name: string, age: 'old' | 'young'): string {
  const path = join(memory, name)
  mkdirSync(path)
  writeFileSync(join(path, 'file'), 'x')
  if (age === 'old') utimesSync(path, LONG_AGO_SECONDS, LONG_AGO_SECONDS)
  return path
}

test('is a folder that every user may pass through, and goes with all that is in it', () => {
  const folder = open()
  const path = String(folder?.path)
  expect(statSync(path).mode & 0o777).toBe(0o755)
  expect(readdirSync(path)).toEqual([])
  writeFileSync(join(path, 'file'), 'x')
  folder?.remove()
  expect(readdirSync(memory)).toEqual([])
})

test('is none where there is no such file system, and none where memory is short', () => {
  expect(openMemoryFolder(join(memory, 'none'), PLENTY)).toBeUndefined()
  expect(openMemoryFolder(memory, 2 ** 32)).toBeUndefined()
  expect(readdirSync(memory)).toEqual([])
})

test('removes what a killed run left long ago, and nothing of a run that may be under way or of others', () => {
  const gone = leave(`llmring-tests-${GONE}-a`, 'old')
  const kept = [
    leave(`llmring-tests-${GONE}-b`, 'young'),
    leave(`llmring-tests-${process.pid}-c`, 'old'),
    leave('another-program', 'old'),
  ]
  open()
  expect(existsSync(gone)).toBe(false)
  expect(kept.filter((path) => !existsSync(path))).toEqual([])
})
