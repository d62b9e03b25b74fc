import { beforeEach, describe, expect, it } from 'vitest'
import {
  appendLeaves,
  emptyTree,
  formatCheckpoint,
  formatNote,
  hashLeaf,
  type ReadTiles,
  rootOfEdge,
  signNote,
} from '../../src/core/tlog/index.js'
import type { LogState } from '../../src/features/transparency/checkpoint-store.js'
import { createGuard } from '../../src/features/transparency/guard/create-guard.js'
import type { Guard } from '../../src/features/transparency/guard/guard.js'
import { createSuspension } from '../../src/features/transparency/guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import { createLogSigner, type LogSigner } from '../../src/features/transparency/log-key.js'
import { createPublished } from '../../src/features/transparency/published.js'
import { createPoll } from '../../src/features/transparency/sequence/poll.js'
import type { TreeHead } from '../../src/features/transparency/tree-head.js'
import { sha256 } from '../../src/platform/sha256.js'

const ORIGIN = 'log.example/receipts'
const signer = createLogSigner(ORIGIN, new Uint8Array(32).fill(9))
const stranger = createLogSigner(ORIGIN, new Uint8Array(32).fill(8))
const LEAVES = Array.from({ length: 300 }, (_, at) => hashLeaf(sha256, Buffer.from(`entry ${at}`)))

const headOf = (size: number): TreeHead => ({
  ...{ size, root: rootOfEdge(sha256, appendLeaves(sha256, emptyTree, LEAVES.slice(0, size)).edge) },
})
const noteOf = (head: TreeHead, by: LogSigner = signer): string => {
  const text = formatCheckpoint({ origin: ORIGIN, ...head })
  return new TextDecoder().decode(formatNote({ text, signatures: [signNote(by, text)] }))
}
const allTiles = new Map(
  appendLeaves(sha256, emptyTree, LEAVES).tiles.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]),
)
const readTiles: ReadTiles = async (wanted) =>
  wanted.map(({ level, index }) => allTiles.get(`${level}/${index}`) ?? null)

let state: LogState
let kept: TreeHead & { note: string; witnesses: number }
let now: number
let guard: Guard
let recalls: number

function openPoll() {
  const published = createPublished(() => now)
  const suspension = createSuspension(() => undefined)
  const poll = createPoll({
    store: { readState: async () => state, newest: async () => kept },
    guard: {
      ...guard,
      recall: async () => {
        recalls += 1
        await guard.recall()
      },
    },
    ...{ logKey: signer.key, published, suspension, readTiles, now: () => now },
  })
  return { poll, published, suspension }
}

/** The database has a tree of so many leaves, of which the checkpoint covers some. */
function setState(size: number, notedSize: number | null, rest: Partial<LogState> = {}): void {
  state = { head: headOf(size), notedSize, notedWitnesses: 0, pending: 0, pendingMs: 0, ...rest }
  if (notedSize !== null) kept = { ...headOf(notedSize), note: noteOf(headOf(notedSize)), witnesses: 0 }
}

beforeEach(() => {
  now = 1_000_000
  recalls = 0
  guard = createGuard({ kind: 'none' }, signer.key)
  setState(0, 0)
})

describe('a look around', () => {
  it('shows the newest checkpoint, and remembers it first', async () => {
    const { poll, published } = openPoll()
    setState(120, 120)
    expect(await poll()).toEqual({ size: 120, pending: 0, waitingMs: 0, hasWork: false })
    expect(published.current()?.size).toBe(120)
    expect(guard.known().newest?.size).toBe(120)
  })

  it('shows one that got cosignatures since', async () => {
    const { poll, published } = openPoll()
    setState(120, 120)
    await poll()
    const before = published.current()?.etag
    setState(120, 120, { notedWitnesses: 2 })
    kept = { ...kept, note: `${kept.note}`, witnesses: 2 }
    await poll()
    expect(published.current()?.witnesses).toBe(2)
    expect(published.current()?.etag).toBe(before)
  })

  it('finds work in leaves that are pending, and in a head without a note', async () => {
    const { poll } = openPoll()
    setState(120, 120, { pending: 7, pendingMs: 40 })
    expect(await poll()).toMatchObject({ hasWork: true, pending: 7, waitingMs: 40 })
    setState(121, 120)
    expect(await poll()).toMatchObject({ hasWork: true, pending: 0 })
    setState(0, null)
    guard = createGuard({ kind: 'none' }, signer.key)
    expect(await openPoll().poll()).toMatchObject({ hasWork: true })
  })

  it('shows no checkpoint that another key signed, or that says something else than is kept of it', async () => {
    setState(120, 120)
    const wrong = [
      noteOf(headOf(120), stranger),
      noteOf(headOf(119)),
      noteOf({ size: 120, root: headOf(119).root }),
      'no note',
    ]
    for (const note of wrong) {
      const { poll, published } = openPoll()
      kept = { ...kept, note }
      await expect(poll()).rejects.toThrow('not signed by the key of this log')
      expect(published.current()).toBeNull()
    }
  })

  it('shows no checkpoint of another history than the tiles, though this log signed it', async () => {
    const { poll, published, suspension } = openPoll()
    setState(120, 120)
    await poll()
    const other = { size: 130, root: new Uint8Array(32).fill(1) }
    setState(140, 130)
    kept = { ...other, note: noteOf(other), witnesses: 0 }
    await poll()
    expect(suspension.reason()).toBe('forked')
    expect([guard.known().newest?.size, published.current()?.size]).toEqual([120, 120])
  })
})

describe('a log that lags', () => {
  it('is one whose oldest leaf has waited for too long', async () => {
    const { poll, suspension } = openPoll()
    setState(120, 120, { pending: 1, pendingMs: TRANSPARENCY_LIMITS.lagMsMax })
    await poll()
    expect(suspension.reason()).toBeNull()
    setState(120, 120, { pending: 1, pendingMs: TRANSPARENCY_LIMITS.lagMsMax + 1 })
    await poll()
    expect(suspension.reason()).toBe('lagging')
    setState(121, 121)
    await poll()
    expect(suspension.reason()).toBeNull()
  })

  it('is one whose head has been without a note for as long, though nothing is pending', async () => {
    const { poll, suspension } = openPoll()
    setState(121, 120)
    await poll()
    now += TRANSPARENCY_LIMITS.lagMsMax
    await poll()
    expect(suspension.reason()).toBeNull()
    now += 1
    expect(await poll()).toMatchObject({ waitingMs: TRANSPARENCY_LIMITS.lagMsMax + 1 })
    expect(suspension.reason()).toBe('lagging')
    setState(121, 121)
    await poll()
    expect(suspension.reason()).toBeNull()
  })
})

describe('a log that went back', () => {
  it('is barred, shows nothing newer, and has the guard read again at each look', async () => {
    const { poll, suspension, published } = openPoll()
    setState(120, 120)
    await poll()
    setState(100, 100)
    await poll()
    expect(suspension.reason()).toBe('rolled-back')
    expect([published.current()?.size, recalls]).toEqual([120, 0])
    await poll()
    await poll()
    expect(recalls).toBe(2)
  })

  it('goes on when it is the whole one again', async () => {
    const { poll, suspension } = openPoll()
    setState(120, 120)
    await poll()
    setState(100, 100)
    await poll()
    setState(150, 150)
    await poll()
    expect(suspension.reason()).toBeNull()
  })

  it('forgets what it had shown once the smaller head was accepted', async () => {
    const { poll, suspension, published } = openPoll()
    setState(120, 120)
    await poll()
    setState(100, 100)
    await poll()
    expect(suspension.isBarred()).toBe(true)
    guard.recall = async () => {
      const accepted = createGuard({ kind: 'none' }, signer.key)
      await accepted.remember(headOf(100), noteOf(headOf(100)))
      guard.known = accepted.known
      guard.remember = accepted.remember
    }
    const { poll: next } = { poll: openAgain({ published, suspension }) }
    await next()
    expect(suspension.reason()).toBeNull()
    expect(published.current()?.size).toBe(100)
  })
})

/** A poll with the guard as it is now, and what an earlier one has shown. */
function openAgain(memory: Pick<Parameters<typeof createPoll>[0], 'published' | 'suspension'>) {
  return createPoll({
    store: { readState: async () => state, newest: async () => kept },
    guard: {
      ...guard,
      recall: () => guard.recall(),
      known: () => guard.known(),
      remember: (...of) => guard.remember(...of),
    },
    ...{ logKey: signer.key, readTiles, now: () => now, ...memory },
  })
}
