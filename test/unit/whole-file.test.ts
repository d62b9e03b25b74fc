import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { interruptible } from '../../src/cli/interruptible.js'
import { createProgress, renderSummary } from '../../src/cli/progress.js'
import { writeWholeFile } from '../../src/cli/write-whole-file.js'

let directory: string
let path: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-file-'))
})
beforeEach(async () => {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory)
  path = join(directory, 'file')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const writing = (text: string) => (output: Writable) => pipeline(Readable.from([Buffer.from(text)]), output)
const modeOf = async (name: string) => (await lstat(name)).mode & 0o777

describe('a file that is written whole', () => {
  it('is its owner’s alone, whatever the umask, and nothing is left beside it', async () => {
    const umask = process.umask(0)
    await writeWholeFile(path, false, writing('text'))
    process.umask(umask)
    expect(await readFile(path, 'utf8')).toBe('text')
    expect(await modeOf(path)).toBe(0o600)
    expect(await readdir(directory)).toEqual(['file'])
  })

  it('replaces no other without force; with force it does, and takes its own mode', async () => {
    await writeFile(path, 'old')
    await chmod(path, 0o644)
    await expect(writeWholeFile(path, false, writing('new'))).rejects.toThrow(`${path} exists; --force replaces it.`)
    expect(await readFile(path, 'utf8')).toBe('old')
    await writeWholeFile(path, true, writing('new'))
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await modeOf(path)).toBe(0o600)
  })

  it('never takes the place of a folder, a link or a device, even with force', async () => {
    await symlink('/dev/null', path)
    await expect(writeWholeFile(path, true, writing('new'))).rejects.toThrow('is not a file')
    await expect(writeWholeFile(directory, true, writing('new'))).rejects.toThrow('is not a file')
    await expect(writeWholeFile('/dev/null', true, writing('new'))).rejects.toThrow('is not a file')
  })

  it('does not appear where writing fails, early or late, and leaves the old one alone', async () => {
    await writeFile(path, 'old')
    const late = async (output: Writable) => {
      await writing('new')(output)
      throw new Error('late')
    }
    await expect(writeWholeFile(path, true, late)).rejects.toThrow('late')
    await expect(writeWholeFile(path, true, () => Promise.reject(new Error('early')))).rejects.toThrow('early')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['file'])
  })

  it('does not replace what appeared meanwhile', async () => {
    const slow = async (output: Writable) => {
      await writing('ours')(output)
      await writeFile(path, 'theirs')
    }
    await expect(writeWholeFile(path, false, slow)).rejects.toThrow('exists')
    expect(await readFile(path, 'utf8')).toBe('theirs')
    expect(await readdir(directory)).toEqual(['file'])
  })
})

describe('work that is interrupted', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'is told of %s by its signal, cleans up, and ends as interrupted',
    async (name) => {
      const before = process.listenerCount(name)
      const seen: string[] = []
      const work = interruptible(async (signal) => {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
          process.kill(process.pid, name)
        })
        seen.push('cleaned up')
        signal.throwIfAborted()
      })
      await expect(work).rejects.toThrow(/^Interrupted\.$/)
      expect(seen).toEqual(['cleaned up'])
      expect(process.listenerCount(name)).toBe(before)
    },
  )

  it('keeps its own error and result where nobody interrupts it', async () => {
    await expect(interruptible(() => Promise.reject(new Error('own')))).rejects.toThrow('own')
    expect(await interruptible(async () => 7)).toBe(7)
  })
})

describe('progress', () => {
  const progress = { table: 'usage_logs', rows: 1_234_567, bytes: 98_765_432, done: false }

  it('is one line a table in a file, and at most one every five seconds for the table under way', () => {
    let now = 0
    const lines: string[] = []
    const show = createProgress({ write: (text) => lines.push(text), terminal: false, clock: () => now })
    show(progress)
    now = 5_000
    show(progress)
    show(progress)
    show({ ...progress, done: true })
    expect(lines).toEqual([
      'usage_logs               1,234,567 rows       98.8 MB …\n',
      'usage_logs               1,234,567 rows       98.8 MB\n',
    ])
  })

  it('stays in its line on a terminal until the table is done', () => {
    let now = 0
    const lines: string[] = []
    const show = createProgress({ write: (text) => lines.push(text), terminal: true, clock: () => now })
    now = 200
    show(progress)
    show({ ...progress, done: true })
    expect(lines.map((line) => [line.startsWith('\r'), line.endsWith('\n')])).toEqual([
      [true, false],
      [true, true],
    ])
  })

  it('sums up', () => {
    expect(renderSummary({ tables: { a: 1, b: 1_000 }, bytes: 1_500 })).toBe('2 tables, 1,001 rows, 1.5 kB')
    expect(renderSummary({ tables: { a: 1 }, bytes: 2_500_000 })).toBe('1 table, 1 row, 2.5 MB')
  })
})
