import { readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  appendLeaves,
  emptyTree,
  formatCheckpoint,
  formatNote,
  hashLeaf,
  type ReadTiles,
  rootOfEdge,
  signNote,
  type Tile,
} from '../../src/core/tlog/index.js'
import { createGuard, openOwnNote } from '../../src/features/transparency/guard/create-guard.js'
import { type Guard, judgeHead, proveGrowth } from '../../src/features/transparency/guard/guard.js'
import { readGuardFile } from '../../src/features/transparency/guard/guard-file.js'
import { createLogSigner, type LogSigner } from '../../src/features/transparency/log-key.js'
import type { TreeHead } from '../../src/features/transparency/tree-head.js'
import { sha256 } from '../../src/platform/sha256.js'

const ORIGIN = 'log.example/receipts'
const signer = createLogSigner(ORIGIN, new Uint8Array(32).fill(9))
const stranger = createLogSigner(ORIGIN, new Uint8Array(32).fill(8))

/** A tree of so many entries, which differ by `mark` from the entries of another tree. */
function grow(size: number, mark = 'a'): { readonly head: TreeHead; readonly readTiles: ReadTiles } {
  const leaves = Array.from({ length: size }, (_, at) => hashLeaf(sha256, Buffer.from(`${mark} ${at}`)))
  const { edge, tiles } = appendLeaves(sha256, emptyTree, leaves)
  const kept = new Map(tiles.map((tile: Tile) => [`${tile.level}/${tile.index}`, tile.hashes]))
  const readTiles: ReadTiles = async (wanted) => wanted.map(({ level, index }) => kept.get(`${level}/${index}`) ?? null)
  return { head: { size, root: rootOfEdge(sha256, edge) }, readTiles }
}

function noteOf(head: TreeHead, by: LogSigner = signer): string {
  const text = formatCheckpoint({ origin: ORIGIN, ...head })
  return new TextDecoder().decode(formatNote({ text, signatures: [signNote(by, text)] }))
}

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-guard-'))
  path = join(directory, 'below', 'tlog-guard')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const fileGuard = () => createGuard({ kind: 'file', path }, signer.key)
const judge = (guard: Guard, { head, readTiles }: ReturnType<typeof grow>) => judgeHead(guard.known(), head, readTiles)

async function remembering(size: number): Promise<Guard> {
  const guard = fileGuard()
  await guard.recall()
  const { head } = grow(size)
  await guard.remember(head, noteOf(head))
  return guard
}

describe('a guard', () => {
  it('that remembers nothing lets every tree pass', async () => {
    const guard = fileGuard()
    await guard.recall()
    expect(await judge(guard, grow(0))).toBeNull()
    expect(await judge(guard, grow(300))).toBeNull()
  })

  it.each([300, 301, 512, 700])('that remembers 300 leaves lets the same tree of %i leaves pass', async (size) => {
    expect(await judge(await remembering(300), grow(size))).toBeNull()
  })

  it('refuses a smaller tree, though it begins as the one that was signed', async () => {
    expect(await judge(await remembering(300), grow(299))).toBe('rolled-back')
    expect(await judge(await remembering(300), grow(0))).toBe('rolled-back')
  })

  it('refuses another tree of the same size, and a larger one that begins otherwise', async () => {
    expect(await judge(await remembering(300), grow(300, 'b'))).toBe('forked')
    expect(await judge(await remembering(300), grow(700, 'b'))).toBe('forked')
  })

  it('refuses a larger tree whose tiles are gone', async () => {
    const { head } = grow(700)
    const gone = { head, readTiles: async (wanted: readonly unknown[]) => wanted.map(() => null) }
    expect(await judge(await remembering(300), gone)).toBe('forked')
  })

  it('only goes forward', async () => {
    const guard = await remembering(300)
    const { head } = grow(200)
    await guard.remember(head, noteOf(head))
    expect(guard.known().newest?.size).toBe(300)
    expect(await readFile(path, 'utf8')).toBe(noteOf(grow(300).head))
  })

  it('judges by what it remembered before the tree was read', async () => {
    const guard = await remembering(300)
    const before = guard.known()
    const later = grow(400)
    await guard.remember(later.head, noteOf(later.head))
    const { head, readTiles } = grow(350)
    expect(await judgeHead(before, head, readTiles)).toBeNull()
    expect(await judgeHead(guard.known(), head, readTiles)).toBe('rolled-back')
  })
})

describe('a guard file', () => {
  it('is found again by the next process, whole, private and alone in its folder', async () => {
    await remembering(300)
    const next = fileGuard()
    expect(next.known()).toMatchObject({ newest: null, trouble: 'guard-unreadable' })
    await next.recall()
    expect(next.known()).toMatchObject({ newest: { size: 300 }, trouble: null })
    expect(await readdir(join(path, '..'))).toEqual(['tlog-guard'])
  })

  it('is not replaced before it was read, by a smaller tree or a larger one', async () => {
    await remembering(300)
    const next = fileGuard()
    for (const { head } of [grow(200), grow(400)]) {
      expect(await judge(next, grow(head.size))).toBe('guard-unreadable')
      await expect(next.remember(head, noteOf(head))).rejects.toThrow('was not read')
    }
    expect(await readFile(path, 'utf8')).toBe(noteOf(grow(300).head))
  })

  it('that instances share is not set back by the one that is behind', async () => {
    const ahead = await remembering(300)
    const behind = fileGuard()
    await behind.recall()
    await ahead.remember(grow(500).head, noteOf(grow(500).head))
    const { head } = grow(400)
    await behind.remember(head, noteOf(head))
    expect(await readFile(path, 'utf8')).toBe(noteOf(grow(500).head))
    expect(behind.known().newest?.size).toBe(500)
    // What is none of this log is no reason to stop: it is replaced, as is a file that is gone.
    await writeFile(path, noteOf(grow(900).head, stranger))
    await ahead.remember(grow(600).head, noteOf(grow(600).head))
    expect(await readFile(path, 'utf8')).toBe(noteOf(grow(600).head))
    await rm(path)
    await ahead.remember(grow(700).head, noteOf(grow(700).head))
    expect(await readFile(path, 'utf8')).toBe(noteOf(grow(700).head))
  })

  it.each([
    ['torn', (note: string) => note.slice(0, -20)],
    ['empty', () => ''],
    ['longer than any checkpoint', (note: string) => note.padEnd(300_000, 'x')],
    ['signed by another key', () => noteOf(grow(300).head, stranger)],
    ['of another size than was signed', (note: string) => note.replace('\n300\n', '\n200\n')],
  ])('that is %s is not taken for one that is not there', async (_, spoil) => {
    await remembering(300)
    await writeFile(path, spoil(await readFile(path, 'utf8')))
    const next = fileGuard()
    await next.recall()
    expect(next.known().trouble).toBe('guard-unreadable')
    expect(await judge(next, grow(400))).toBe('guard-unreadable')
    expect(await judge(next, grow(0))).toBe('guard-unreadable')
  })

  it('that cannot be read is trouble, and none any more once it can', async () => {
    await mkdir(path, { recursive: true })
    const guard = fileGuard()
    await guard.recall()
    expect(guard.known().trouble).toBe('guard-unreadable')
    await rm(path, { recursive: true })
    await guard.recall()
    expect(guard.known()).toMatchObject({ newest: null, trouble: null })
  })

  it('that is not there is read as nothing', async () => {
    expect(await readGuardFile(path)).toBeUndefined()
  })

  it('that cannot be written leaves what was remembered as it was', async () => {
    const guard = await remembering(300)
    await rm(join(path, '..'), { recursive: true })
    await writeFile(join(path, '..'), 'no folder')
    const { head } = grow(400)
    await expect(guard.remember(head, noteOf(head))).rejects.toThrow()
    expect(guard.known().newest?.size).toBe(300)
  })
})

describe('what a guard file remembers', () => {
  const handles = async () => {
    const handle = await open(directory)
    await handle.close()
    return Object.getPrototypeOf(handle) as { sync(this: { readonly fd: number }): Promise<void> }
  }
  afterEach(() => vi.restoreAllMocks())

  it.runIf(process.platform === 'linux')(
    'is on disk with its name before it counts: a power cut cannot bring the old one back',
    async () => {
      const guard = await remembering(300)
      const prototype = await handles()
      const { sync } = prototype
      const flushed: string[] = []
      vi.spyOn(prototype, 'sync').mockImplementation(async function (this: { readonly fd: number }) {
        const name = readlinkSync(`/proc/self/fd/${this.fd}`)
        await sync.call(this)
        expect(guard.known().newest?.size).toBe(300)
        flushed.push(
          `${name} ${(await readFile(path, 'utf8')) === noteOf(grow(400).head) ? 'after' : 'before'} the rename`,
        )
      })
      const { head } = grow(400)
      await guard.remember(head, noteOf(head))
      expect(flushed).toEqual([
        expect.stringMatching(/tlog-guard\.making-[0-9a-f]{16} before the rename$/),
        `${join(path, '..')} after the rename`,
      ])
      expect(guard.known().newest?.size).toBe(400)
    },
  )

  it.each(['the note', 'the folder'])('is what it was if %s cannot be flushed', async (what) => {
    const guard = await remembering(300)
    const prototype = await handles()
    const { sync } = prototype
    let calls = 0
    vi.spyOn(prototype, 'sync').mockImplementation(function (this: { readonly fd: number }) {
      calls += 1
      return calls === (what === 'the note' ? 1 : 2) ? Promise.reject(new Error('EIO')) : sync.call(this)
    })
    const { head } = grow(400)
    await expect(guard.remember(head, noteOf(head))).rejects.toThrow('EIO')
    expect(guard.known().newest?.size).toBe(300)
    expect(await readdir(join(path, '..'))).toEqual(['tlog-guard'])
    vi.restoreAllMocks()
    await guard.remember(head, noteOf(head))
    expect(guard.known().newest?.size).toBe(400)
  })
})

describe('witnesses as a guard', () => {
  const witnessed = () => createGuard({ kind: 'witness' }, signer.key)

  it('have to answer before anything is signed, but for a log without leaves', async () => {
    const guard = witnessed()
    expect(await judge(guard, grow(1))).toBe('guard-unknown')
    expect(await judge(guard, grow(0))).toBeNull()
    guard.learn('w1', 0)
    expect(await judge(guard, grow(1))).toBeNull()
  })

  it('tell of a larger tree than the database has, whatever another one says', async () => {
    const guard = witnessed()
    guard.learn('w1', 300)
    guard.learn('w2', 20)
    expect(await judge(guard, grow(299))).toBe('rolled-back')
    expect(await judge(guard, grow(0))).toBe('rolled-back')
    expect(await judge(guard, grow(300))).toBeNull()
  })

  it('bar a log as long as they say so: a size is not signed, and one that was wrong is put right by the next', async () => {
    const guard = witnessed()
    guard.learn('w1', 9_999_999_999)
    expect(await judge(guard, grow(20))).toBe('rolled-back')
    guard.learn('w1', 20)
    expect(await judge(guard, grow(20))).toBeNull()
  })
})

it.each([{ kind: 'none' as const }, { kind: 'file' as const, path: '/nowhere/guard' }])(
  'what a witness names, which is not signed, bars no log that is guarded otherwise: %j',
  async (settings) => {
    const guard = createGuard(settings, signer.key)
    await guard.recall()
    guard.learn('w1', 9_999_999_999)
    expect(await judge(guard, grow(20))).toBeNull()
  },
)

it('no guard notices nothing but what happens while it runs', async () => {
  const guard = createGuard({ kind: 'none' }, signer.key)
  const { head } = grow(300)
  await guard.remember(head, noteOf(head))
  expect(await judge(guard, grow(200))).toBe('rolled-back')
  const next = createGuard({ kind: 'none' }, signer.key)
  await next.recall()
  expect(await judge(next, grow(200))).toBeNull()
})

describe('a checkpoint', () => {
  it('of this log states its head, and any other text states none', async () => {
    const { head } = grow(300)
    const bytes = (text: string) => new TextEncoder().encode(text)
    expect(await openOwnNote(signer.key, bytes(noteOf(head)))).toEqual(head)
    expect(await openOwnNote(signer.key, bytes(noteOf(head, stranger)))).toBeNull()
    const other = createLogSigner('log.example/other', new Uint8Array(32).fill(9))
    expect(await openOwnNote(other.key, bytes(noteOf(head)))).toBeNull()
    expect(await openOwnNote(signer.key, bytes('no note'))).toBeNull()
  })
})

describe('growth', () => {
  it('is proven from the tiles of the larger tree', async () => {
    const { head, readTiles } = grow(700)
    for (const size of [0, 1, 255, 256, 257, 300, 512, 699, 700]) {
      await expect(proveGrowth(readTiles, grow(size).head, head)).resolves.toBeUndefined()
    }
  })

  it('is not proven of a tree that begins otherwise', async () => {
    const { head, readTiles } = grow(700)
    await expect(proveGrowth(readTiles, grow(300, 'b').head, head)).rejects.toThrow('does not begin with')
    await expect(proveGrowth(async (wanted) => wanted.map(() => null), grow(300).head, head)).rejects.toThrow('tile')
  })
})
