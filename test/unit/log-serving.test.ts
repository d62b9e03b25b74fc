import { describe, expect, it } from 'vitest'
import {
  appendLeaves,
  emptyTree,
  formatTilePath,
  hashLeaf,
  parseEntryBundle,
  rootOfEdge,
  verifyConsistency,
  verifyInclusion,
} from '../../src/core/tlog/index.js'
import { currentCheckpoint } from '../../src/features/transparency/current-checkpoint.js'
import { createSuspension } from '../../src/features/transparency/guard/suspension.js'
import { createPublished } from '../../src/features/transparency/published.js'
import { ConsistencyQuery, ProofQuery } from '../../src/features/transparency/schema.js'
import { preferredProof } from '../../src/features/transparency/serve/preferred-proof.js'
import { proveConsistency, proveEntry, proveHash } from '../../src/features/transparency/serve/prove-entry.js'
import { recallTile, serveTile } from '../../src/features/transparency/serve/serve-tile.js'
import { createTiles } from '../../src/features/transparency/serve/tiles.js'
import { sha256 } from '../../src/platform/sha256.js'

const SEQUENCED = 700
const PUBLISHED = 600
const entries = Array.from({ length: SEQUENCED }, (_, at) => sha256(Buffer.from(`receipt ${at}`)))
const leaves = entries.map((entry) => hashLeaf(sha256, entry))
const stored = appendLeaves(sha256, emptyTree, leaves).tiles
const rootAt = (size: number) => rootOfEdge(sha256, appendLeaves(sha256, emptyTree, leaves.slice(0, size)).edge)

/** A log of which more is sequenced than published, and some entries are pending. */
function openServed() {
  const published = createPublished(() => 0)
  const suspension = createSuspension(() => undefined)
  const pending = sha256(Buffer.from('pending'))
  const indexOf = (wanted: Uint8Array) => entries.findIndex((entry) => Buffer.compare(entry, wanted) === 0)
  const reads: number[] = []
  const store = {
    read: async (wanted: readonly { level: number; index: number }[]) => {
      reads.push(wanted.length)
      return stored.filter(({ level, index }) => wanted.some((one) => one.level === level && one.index === index))
    },
    readEntries: async (from: number, count: number) => entries.slice(from, from + count),
    findIndex: async (entry: Uint8Array) => {
      const index = indexOf(entry)
      return index === -1 ? null : index
    },
    isPending: async (entry: Uint8Array) => Buffer.compare(entry, pending) === 0,
  }
  const tiles = createTiles(store)
  const shown = { published, refuseWhileBarred: suspension.refuseWhileBarred }
  const firstWitnessed = async () => undefined
  return { ...shown, suspension, pending, reads, store, tiles, readTiles: tiles.read, firstWitnessed }
}

function openPublished() {
  const served = openServed()
  served.published.advance({ size: PUBLISHED, root: rootAt(PUBLISHED), note: 'the note', witnesses: 0 })
  return served
}

const code = (name: string) => expect.objectContaining({ code: name })

describe('a tile', () => {
  it('is a beginning of what is stored, as wide as it is asked for', async () => {
    const served = openPublished()
    const whole = Buffer.concat(leaves.slice(512, 600))
    for (const width of [1, 2, 87, 88]) {
      const bytes = await serveTile(served, formatTilePath({ level: 0, index: 2, width }))
      expect(Buffer.from(bytes).equals(whole.subarray(0, width * 32))).toBe(true)
    }
    expect(await serveTile(served, 'tile/0/000')).toHaveLength(8_192)
    expect(await serveTile(served, 'tile/1/000.p/2')).toHaveLength(64)
  })

  it('of entries holds them one behind the other', async () => {
    const bundle = parseEntryBundle(await serveTile(openPublished(), 'tile/entries/002.p/88'), 88)
    expect(bundle).toEqual({ ok: true, entries: entries.slice(512, 600) })
  })

  it.each(['tile/0/002.p/89', 'tile/0/002', 'tile/entries/002.p/89', 'tile/1/000.p/3', 'tile/2/000.p/1'])(
    'that is sequenced and not published is not shown: %s',
    async (path) => {
      await expect(serveTile(openPublished(), path)).rejects.toEqual(code('not-found'))
    },
  )

  it.each([
    'tile/0/000.p/256',
    'tile/0/0',
    'tile/64/000',
    'tile/0/000.p/00',
    'tile/x/000',
    'tile/0/x000/000',
    'checkpoint',
    '',
  ])('has one path, and no other: %s', async (path) => {
    await expect(serveTile(openPublished(), path)).rejects.toEqual(code('not-found'))
    expect(recallTile(openPublished(), path)).toBeUndefined()
  })

  it('is in memory from then on, if it is full', async () => {
    const served = openPublished()
    expect(recallTile(served, 'tile/0/001')).toBeUndefined()
    const bytes = await serveTile(served, 'tile/0/001')
    expect(recallTile(served, 'tile/0/001')).toEqual(bytes)
    await serveTile(served, 'tile/0/002.p/5')
    expect(recallTile(served, 'tile/0/002.p/5')).toBeUndefined()
    expect(recallTile(served, 'tile/entries/000')).toBeUndefined()
    await serveTile(served, 'tile/0/001')
    expect(served.reads).toEqual([1, 1, 0])
  })

  it('is not shown while the history is in question, nor before there is a checkpoint', async () => {
    const served = openPublished()
    served.suspension.bar('forked')
    await expect(serveTile(served, 'tile/0/000')).rejects.toEqual(code('log-suspended'))
    await expect(serveTile(openServed(), 'tile/0/000')).rejects.toEqual(code('log-suspended'))
  })
})

describe('the checkpoint', () => {
  it('is the published one, lagging or not, and none while the history is in question', () => {
    const served = openPublished()
    served.suspension.lag(true)
    expect(currentCheckpoint(served).size).toBe(PUBLISHED)
    served.suspension.bar('rolled-back')
    expect(() => currentCheckpoint(served)).toThrow(code('log-suspended'))
    expect(() => currentCheckpoint(openServed())).toThrow(code('log-suspended'))
  })
})

describe('a proof of inclusion', () => {
  it.each([0, 1, 255, 256, 511, 512, 598, 599])('holds under the published checkpoint: entry %i', async (index) => {
    const entry = entries[index] as Uint8Array
    const made = await proveEntry(openPublished(), entry)
    expect(made?.index).toBe(index)
    const claim = {
      leaf: hashLeaf(sha256, entry),
      index,
      size: PUBLISHED,
      root: rootAt(PUBLISHED),
      proof: made?.proof ?? [],
    }
    expect(verifyInclusion(sha256, claim)).toEqual({ ok: true })
    expect(new TextDecoder().decode(made?.checkpoint)).toBe('the note')
  })

  it.each([600, 699])('is not given of entry %i, which is sequenced and not published', async (index) => {
    const entry = entries[index] as Uint8Array
    expect(await proveEntry(openPublished(), entry)).toBeNull()
    await expect(proveHash(openPublished(), entry)).rejects.toEqual(code('not-logged-yet'))
  })

  it('of what is pending comes later, and of what is neither there is none', async () => {
    const served = openPublished()
    await expect(proveHash(served, served.pending)).rejects.toEqual(code('not-logged-yet'))
    await expect(proveHash(served, sha256(Buffer.from('never')))).rejects.toEqual(code('not-found'))
    expect(await proveHash(served, entries[7] as Uint8Array)).toMatchObject({ index: 7 })
  })

  it.each([1, 2, 3])('comes later when its entry is sequenced after question %i of the search', async (questions) => {
    const served = openPublished()
    let asked = 0
    const isSequenced = () => ++asked > questions
    const store = {
      findIndex: async () => (isSequenced() ? SEQUENCED : null),
      isPending: async () => !isSequenced(),
    }
    await expect(proveHash({ ...served, store }, served.pending)).rejects.toEqual(code('not-logged-yet'))
  })

  it('is not given before there is a checkpoint, and refused while the history is in question', async () => {
    expect(await proveEntry(openServed(), entries[0] as Uint8Array)).toBeNull()
    const served = openPublished()
    served.suspension.bar('rolled-back')
    await expect(proveEntry(served, entries[0] as Uint8Array)).rejects.toEqual(code('log-suspended'))
  })
})

describe('a proof of consistency', () => {
  it.each([
    [0, 600],
    [1, 600],
    [256, 600],
    [599, 600],
    [600, 600],
    [3, 7],
    [255, 257],
  ])('from %i to %i holds', async (from, to) => {
    const { proof } = await proveConsistency(openPublished(), { from, to })
    const heads = [from, to].map((size) => ({ size, root: rootAt(size) })) as [
      { size: number; root: Uint8Array },
      { size: number; root: Uint8Array },
    ]
    expect(verifyConsistency(sha256, ...heads, proof)).toEqual({ ok: true })
  })

  it('goes to the published size if no other is named', async () => {
    expect(await proveConsistency(openPublished(), { from: 5, to: undefined })).toMatchObject({
      from: 5,
      to: PUBLISHED,
    })
  })

  it.each([
    [5, 4, 'query/from'],
    [0, 601, 'query/to'],
    [601, undefined, 'query/from'],
    [650, 700, 'query/to'],
  ])('from %s to %s is refused', async (from, to, pointer) => {
    const refused = proveConsistency(openPublished(), { from, to })
    await expect(refused).rejects.toEqual(code('validation-failed'))
    await expect(refused).rejects.toMatchObject({ extras: { errors: [{ pointer }] } })
  })
})

describe('what is asked for', () => {
  it('is a hash in hexadecimal digits or base64url, in one spelling of each', () => {
    const hash = entries[0] as Uint8Array
    const hex = Buffer.from(hash).toString('hex')
    const base64url = Buffer.from(hash).toString('base64url')
    for (const text of [hex, base64url]) expect(ProofQuery.parse({ hash: text })).toEqual({ hash })
    const zeros = Buffer.alloc(32).toString('base64url')
    const wrong = [
      hex.toUpperCase(),
      hex.slice(2),
      `${hex}00`,
      `${base64url}=`,
      zeros.replace(/A$/, 'B'),
      'ü'.repeat(43),
      '',
    ]
    for (const text of wrong) expect(ProofQuery.safeParse({ hash: text }).success).toBe(false)
  })

  it('is a size in plain decimals, below 2^53', () => {
    const parsed = (from: string) => ConsistencyQuery.safeParse({ from })
    for (const text of ['0', '1', '600', '9007199254740991']) expect(parsed(text).data).toEqual({ from: Number(text) })
    for (const text of ['-1', '01', '1.0', '1e3', ' 1', '9007199254740992', '99999999999999999999', 'x']) {
      expect([text, parsed(text).success]).toEqual([text, false])
    }
    expect(ConsistencyQuery.parse({})).toEqual({})
  })
})

describe('a proof comes', () => {
  it.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['application/json', 'json'],
    ['application/json, text/plain', 'text'],
    ['application/json;q=0.9, text/plain;q=0.1', 'json'],
    ['application/json;q=0.1, text/plain;q=0.9', 'text'],
    ['APPLICATION/JSON', 'json'],
    ['application/json;q=0', 'text'],
    ['application/json;q=x', 'text'],
    ['text/html, application/json;charset=utf-8;q=0.5', 'json'],
  ])('for Accept %s as %s', (accept, kind) => {
    expect(preferredProof(accept)).toBe(kind)
  })
})
