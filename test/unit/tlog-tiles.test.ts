import { describe, expect, test } from 'vitest'
import {
  appendLeaves,
  edgeTiles,
  emptyTree,
  entryBytesMax,
  formatEntryBundle,
  formatTilePath,
  hashEmptyTree,
  hashFullTile,
  hashLeaf,
  makeConsistencyProof,
  makeInclusionProof,
  openTreeEdge,
  parseEntryBundle,
  parseTilePath,
  readRoot,
  rootOfEdge,
  type TilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from '../../src/core/tlog/index.js'
import { sha256, treeOf } from './tlog-trees.js'

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const none = new Uint8Array(0)

describe('the path of a tile', () => {
  const PATHS: readonly (readonly [string, TilePath])[] = [
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/000.p/1', { level: 0, index: 0, width: 1 }],
    ['tile/3/x001/x234/067', { level: 3, index: 1_234_067, width: 256 }],
    ['tile/63/x001/000.p/255', { level: 63, index: 1_000, width: 255 }],
    ['tile/entries/999', { level: 'entries', index: 999, width: 256 }],
    ['tile/entries/x009/x007/x199/x254/x740/991.p/9', { level: 'entries', index: 2 ** 53 - 1, width: 9 }],
  ]
  test.each(PATHS)('%s is written and read', (text, path) => {
    expect(formatTilePath(path)).toBe(text)
    expect(parseTilePath(text)).toEqual({ ok: true, path })
  })

  const OTHER_SPELLINGS = [
    ...['', 'tile', 'tile/0', 'tile/0/', 'tile/0/0', 'tile/0/00', 'tile/0/0000', 'tile/0/x000/000', 'tile/0/001/002'],
    ...['/tile/0/000', 'tile/0/000/', 'tile//000', 'tile/00/000', 'tile/01/000', 'tile/64/000', 'tile/-1/000'],
    ...['tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/000.p/', 'tile/0/000.p', 'tile/0/x001'],
    ...['tile/0/x001/x002', 'tile/0/X001/002', 'tile/0/000.P/1', 'tile/entries', 'tile/entry/000', 'tile/0/٠٠٠'],
    ...[
      'tile/0/x009/x007/x199/x254/x740/992',
      'tile/0/x001/x000/x000/x000/x000/x000/000',
      'tile/0/000\n',
      ' tile/0/000',
    ],
    `tile/0/${'x000/'.repeat(100_000)}000`,
  ]
  test.each(OTHER_SPELLINGS.map((text) => [text.slice(0, 60), text]))('%j is no path', (_, text) => {
    expect(parseTilePath(text)).toEqual({ ok: false, reason: 'not-a-tile-path' })
  })
})

describe('a bundle of entries', () => {
  test('is each entry behind its length', () => {
    const entries = [none, Uint8Array.of(7), new Uint8Array(258).fill(1)]
    const bundle = formatEntryBundle(entries)
    expect([...bundle.subarray(0, 7)]).toEqual([0, 0, 0, 1, 7, 1, 2])
    expect(parseEntryBundle(bundle, 3)).toEqual({ ok: true, entries })
  })

  test('is refused with an entry more or less, cut anywhere, or of no width', () => {
    const bundle = formatEntryBundle([hash(1), hash(2)])
    expect(parseEntryBundle(bundle, 1)).toEqual({ ok: false, reason: 'trailing-bytes' })
    expect(parseEntryBundle(bundle, 3)).toEqual({ ok: false, reason: 'truncated' })
    for (let length = 0; length < bundle.length; length += 1) {
      expect(parseEntryBundle(bundle.subarray(0, length), 2)).toEqual({ ok: false, reason: 'truncated' })
    }
    for (const width of [0, 257, 1.5, Number.NaN, 1e9]) {
      expect(parseEntryBundle(bundle, width)).toEqual({ ok: false, reason: 'bad-width' })
    }
    expect(() => formatEntryBundle([new Uint8Array(entryBytesMax + 1)])).toThrow(RangeError)
  })
})

describe('the tiles of a tree', () => {
  test('of 70,000 leaves are those of the specification', () => {
    expect(edgeTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ])
    const { tiles } = treeOf(70_000)
    const counts = [0, 1, 2].map(
      (level) => [...tiles.keys()].filter((name) => name.startsWith(`tile/${level}/`)).length,
    )
    expect(counts).toEqual([274, 2, 1])
  })

  test('of 256 leaves are a full one, and a partial one of width 1 that holds its hash', () => {
    const { tiles } = treeOf(tileWidth)
    const full = tiles.get('tile/0/000') ?? none
    expect([...tiles.values()].map(({ length }) => length)).toEqual([8_192, 32])
    expect(tiles.get('tile/1/000')).toEqual(hashFullTile(sha256, full))
    expect(() => hashFullTile(sha256, full.subarray(32))).toThrow(RangeError)
  })

  test('that an append gives are those that grew, whole', () => {
    const tree = treeOf(300)
    const written = tree.append(3)
    expect(written.map(({ level, index, width }) => [level, index, width])).toEqual([[0, 1, 47]])
    expect(written[0]?.hashes).toHaveLength(47 * 32)
  })

  test('do not take what is no hash, nor more leaves than numbers can count', () => {
    expect(() => appendLeaves(sha256, emptyTree, [new Uint8Array(31)])).toThrow(RangeError)
    expect(() => appendLeaves(sha256, { size: 2 ** 53 - 1, partialTiles: [] }, [hash(0)])).toThrow(RangeError)
  })

  test('grow beyond 2^31 leaves without a bit lost', () => {
    const size = 2 ** 40 + 2 ** 33 + 5
    const stored = new Map(edgeTiles(size).map(({ level, width }) => [level, new Uint8Array(width * 32).fill(level)]))
    const opened = openTreeEdge(size, stored)
    if (!opened.ok) throw new Error(opened.reason)
    const { edge, tiles } = appendLeaves(sha256, opened.edge, [hash(9)])
    expect(tiles.map(({ level, index, width }) => [level, index, width])).toEqual([[0, 2 ** 32 + 2 ** 25, 6]])
    expect(rootOfEdge(sha256, edge)).not.toEqual(rootOfEdge(sha256, opened.edge))
  })

  test('are refused as an edge if one is too short', () => {
    expect(openTreeEdge(257, new Map([[0, hash(1)]]))).toEqual({ ok: false, reason: 'tile-too-short', level: 1 })
    expect(openTreeEdge(-1, new Map())).toEqual({ ok: false, reason: 'bad-size' })
    expect(openTreeEdge(2 ** 53, new Map())).toEqual({ ok: false, reason: 'bad-size' })
  })
})

describe('a proof', () => {
  const tree = treeOf(600)
  const { deps } = tree

  test('is not made of numbers that fit no tree', async () => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      const refused = { ok: false, reason: 'bad-size' }
      expect(await readRoot(deps, bad)).toEqual(refused)
      expect(await makeInclusionProof(deps, 0, bad)).toEqual(refused)
      expect(await makeInclusionProof(deps, bad, 600)).toEqual(refused)
      expect(await makeConsistencyProof(deps, bad, 600)).toEqual(refused)
      expect(await makeConsistencyProof(deps, 1, bad)).toEqual(refused)
      const claim = { leaf: hash(1), index: 0, size: 600, proof: [], root: hash(1) }
      expect(verifyInclusion(sha256, { ...claim, size: bad })).toEqual(refused)
      expect(verifyInclusion(sha256, { ...claim, index: bad })).toEqual(refused)
      const [head, other] = [
        { size: 1, root: hash(1) },
        { size: bad, root: hash(1) },
      ]
      expect(verifyConsistency(sha256, head, other, [])).toEqual(refused)
      expect(verifyConsistency(sha256, other, head, [])).toEqual(refused)
    }
    expect(await makeInclusionProof(deps, 600, 600)).toEqual({ ok: false, reason: 'index-not-below-size' })
    expect(await makeConsistencyProof(deps, 2, 1)).toEqual({ ok: false, reason: 'old-size-above-new' })
  })

  test('names the tile that is missing or too short', async () => {
    const tile = { level: 0, index: 2, width: 88 }
    const missing = { ...deps, readTiles: async (asked: readonly unknown[]) => asked.map(() => null) }
    expect(await makeInclusionProof(missing, 599, 600)).toMatchObject({ reason: 'tile-missing', tile })
    const short = { ...deps, readTiles: async (asked: readonly unknown[]) => asked.map(() => new Uint8Array(87 * 32)) }
    expect(await makeInclusionProof(short, 599, 600)).toMatchObject({ reason: 'tile-too-short', tile })
    const fewer = { ...deps, readTiles: async () => [] }
    expect(await readRoot(fewer, 600)).toMatchObject({ reason: 'tile-missing' })
  })

  test('of the first tree or of the same tree is empty, and only the right root holds', () => {
    const [empty, one] = [
      { size: 0, root: hashEmptyTree(sha256) },
      { size: 1, root: hash(1) },
    ]
    expect(verifyConsistency(sha256, empty, one, [])).toEqual({ ok: true })
    expect(verifyConsistency(sha256, empty, empty, [])).toEqual({ ok: true })
    expect(verifyConsistency(sha256, { size: 0, root: hash(0) }, one, [])).toMatchObject({
      reason: 'old-root-mismatch',
    })
    expect(verifyConsistency(sha256, empty, one, [hash(1)])).toMatchObject({ reason: 'proof-too-long' })
    const fork = { size: 1, root: hash(2) }
    expect(verifyConsistency(sha256, one, fork, [])).toMatchObject({ reason: 'new-root-mismatch' })
    const shrunk = verifyConsistency(sha256, { size: 2, root: hash(2) }, one, [])
    expect(shrunk).toMatchObject({ reason: 'old-size-above-new' })
  })

  test('is refused if a hash in it has another length, or if there are a million', () => {
    const claim = { leaf: hash(1), index: 0, size: 2, proof: [new Uint8Array(31)], root: hash(1) }
    expect(verifyInclusion(sha256, claim)).toMatchObject({ reason: 'wrong-hash-length' })
    expect(verifyInclusion(sha256, { ...claim, leaf: none, proof: [hash(1)] })).toMatchObject({ ok: false })
    const million = new Array<Uint8Array>(1_000_000).fill(hash(1))
    expect(verifyInclusion(sha256, { ...claim, proof: million })).toMatchObject({ reason: 'proof-too-long' })
    const [from, to] = [
      { size: 1, root: hash(1) },
      { size: 2, root: hash(2) },
    ]
    expect(verifyConsistency(sha256, from, to, [none])).toMatchObject({ reason: 'wrong-hash-length' })
    expect(verifyConsistency(sha256, from, to, million)).toMatchObject({ reason: 'proof-too-long' })
    expect(verifyConsistency(sha256, from, to, [])).toMatchObject({ reason: 'proof-too-short' })
  })

  test('of leaf "a" starts from the published hash', () => {
    const leaf = Buffer.from(hashLeaf(sha256, Buffer.from('a'))).toString('hex')
    expect(leaf).toBe('022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c')
  })
})
