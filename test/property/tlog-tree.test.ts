import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  edgeTiles,
  makeConsistencyProof,
  makeInclusionProof,
  openTreeEdge,
  readRoot,
  rootOfEdge,
  verifyConsistency,
  verifyInclusion,
} from '../../src/core/tlog/index.js'
import { flipped, NaiveTree, nameOf, StoredTree, sha256, treeOf } from '../unit/tlog-trees.js'

const sizeMax = 600
const big = treeOf(65_536 + 300)
const naive = new NaiveTree(big.leaves)
/** Where a tile begins, fills up, or is filled: 256, its multiples and its square. */
const corners = [255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 65_792, 65_793]
const sizes = fc.oneof(fc.integer({ min: 1, max: sizeMax }), fc.constantFrom(...corners))

describe('a tree that is kept in tiles', () => {
  it('has the root of RFC 6962 at every size from 0 to 600, leaf by leaf', () => {
    const tree = new StoredTree()
    for (let size = 0; size <= sizeMax; size += 1) {
      expect(rootOfEdge(sha256, tree.edge)).toEqual(naive.root(0, size))
      tree.append(1)
    }
  })

  it('has the same root from tiles, at every size from 0 to 600 and around powers of 256', async () => {
    for (const size of [...Array(sizeMax + 1).keys(), ...corners]) {
      expect(await readRoot(big.deps, size)).toEqual({ ok: true, root: naive.root(0, size) })
    }
  })

  it('has the same tiles and edge however its leaves are divided into appends', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 8 }), (parts) => {
        const divided = new StoredTree()
        for (const part of parts) divided.append(part)
        const whole = treeOf(divided.leaves.length)
        expect(divided.edge).toEqual({ ...whole.edge, partialTiles: divided.edge.partialTiles })
        expect(rootOfEdge(sha256, divided.edge)).toEqual(rootOfEdge(sha256, whole.edge))
        expect(new Map([...divided.tiles].sort())).toEqual(new Map([...whole.tiles].sort()))
      }),
      { numRuns: 20 },
    )
  })

  it('goes on from the tiles that were stored, even if they are longer by now', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const tiles = new Map(
          edgeTiles(size).map((tile) => [tile.level, big.tiles.get(nameOf(tile)) ?? new Uint8Array(0)]),
        )
        const opened = openTreeEdge(size, tiles)
        expect(opened.ok && rootOfEdge(sha256, opened.edge)).toEqual(naive.root(0, size))
      }),
    )
  })
})

describe('an inclusion proof out of tiles', () => {
  it('is the one of RFC 6962 and verifies, for every leaf of every size up to 40', async () => {
    for (let size = 1; size <= 40; size += 1) {
      for (const [index, leaf] of big.leaves.slice(0, size).entries()) {
        const made = await makeInclusionProof(big.deps, index, size)
        expect(made).toEqual({ ok: true, proof: naive.path(index, size) })
        const proof = made.ok ? made.proof : []
        expect(verifyInclusion(sha256, { leaf, index, size, proof, root: naive.root(0, size) })).toEqual({ ok: true })
      }
    }
  })

  it('is it around powers of 256 too, out of one read of few tiles', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (size, pick) => {
        const index = pick % size
        const made = await makeInclusionProof(big.deps, index, size)
        expect(made).toEqual({ ok: true, proof: naive.path(index, size) })
        expect(big.reads.at(-1)).toBeLessThanOrEqual(6)
      }),
      { numRuns: 40 },
    )
  })

  it('is refused with any bit of it, of the leaf or of the root flipped, and for another index or size', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.nat(7), async (size, pick, at, bit) => {
        const index = pick % size
        const made = await makeInclusionProof(big.deps, index, size)
        const proof = made.ok ? made.proof : []
        const leaf = big.leaves[index] ?? new Uint8Array(0)
        const claim = { leaf, index, size, proof, root: naive.root(0, size) }
        expect(verifyInclusion(sha256, claim).ok).toBe(true)
        const hashes = [leaf, claim.root, ...proof]
        const changed = hashes.map((hash, which) =>
          which === at % hashes.length ? flipped(hash, at % 32, 2 ** bit) : hash,
        )
        const [badLeaf = leaf, badRoot = leaf, ...badProof] = changed
        const bad = verifyInclusion(sha256, { ...claim, leaf: badLeaf, root: badRoot, proof: badProof })
        expect(bad).toEqual({ ok: false, reason: 'root-mismatch' })
        expect(verifyInclusion(sha256, { ...claim, index: (index + 1) % (size + 1) }).ok).toBe(false)
        expect(verifyInclusion(sha256, { ...claim, proof: [...proof, leaf] }).ok).toBe(false)
        expect(verifyInclusion(sha256, { ...claim, proof: proof.slice(1) }).ok).toBe(proof.length === 0)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a consistency proof out of tiles', () => {
  it('is the one of RFC 6962 and verifies, between all sizes up to 40', async () => {
    for (let to = 0; to <= 40; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const made = await makeConsistencyProof(big.deps, from, to)
        expect(made).toEqual({ ok: true, proof: from === 0 ? [] : naive.proof(from, to) })
        expect(verify(from, to, made.ok ? made.proof : [])).toEqual({ ok: true })
      }
    }
  })

  it('is it around powers of 256 too, out of one read of few tiles', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const made = await makeConsistencyProof(big.deps, from, to)
        expect(made).toEqual({ ok: true, proof: naive.proof(from, to) })
        expect(verify(from, to, made.ok ? made.proof : [])).toEqual({ ok: true })
        expect(big.reads.at(-1)).toBeLessThanOrEqual(6)
      }),
      { numRuns: 40 },
    )
  })

  it('is refused with any bit of it or of a root flipped, and between other sizes', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), fc.nat(7), async (one, other, at, bit) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const made = await makeConsistencyProof(big.deps, from, to)
        const hashes = [naive.root(0, from), naive.root(0, to), ...(made.ok ? made.proof : [])]
        const changed = hashes.map((hash, which) =>
          which === at % hashes.length ? flipped(hash, at % 32, 2 ** bit) : hash,
        )
        const [oldRoot = hashes[0], newRoot = hashes[0], ...proof] = changed
        if (oldRoot === undefined || newRoot === undefined) throw new Error('no roots')
        const bad = verifyConsistency(sha256, { size: from, root: oldRoot }, { size: to, root: newRoot }, proof)
        expect(bad.ok).toBe(false)
        expect(verify(from, to, [...hashes.slice(2), naive.root(0, 1)]).ok).toBe(false)
        if (from < to) expect(verify(from, to, hashes.slice(2, -1)).ok).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

function verify(from: number, to: number, proof: readonly Uint8Array[]) {
  return verifyConsistency(
    sha256,
    { size: from, root: naive.root(0, from) },
    { size: to, root: naive.root(0, to) },
    proof,
  )
}
