import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatCheckpoint,
  formatEntryBundle,
  formatLogProof,
  formatNote,
  formatTilePath,
  makeInclusionProof,
  parseCheckpoint,
  parseEntryBundle,
  parseLogProof,
  parseNote,
  parseTilePath,
  rootOfEdge,
  verifyInclusion,
} from '../../src/core/tlog/index.js'
import { flipped, nameOf, sha256, treeOf } from '../unit/tlog-trees.js'

const names = fc.stringMatching(/^[a-zé./0-9—]{1,40}$/)
const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 })
const counts = fc.oneof(fc.maxSafeNat(), fc.nat(2_000))
const signatures = fc.record({
  name: names,
  keyId: fc.stringMatching(/^[0-9a-f]{8}$/),
  signature: fc.uint8Array({ minLength: 1, maxLength: 90 }),
})
const lines = fc.string({ unit: 'grapheme', maxLength: 20 })
const notes = fc.record({
  text: fc.array(lines, { maxLength: 6 }).map((text) => `${text.join('\n')}\n`),
  signatures: fc.array(signatures, { minLength: 1, maxLength: 5 }),
})
const logProofs = fc.record({
  extra: fc.option(fc.uint8Array({ minLength: 1, maxLength: 50 })),
  index: counts,
  proof: fc.array(hashes, { maxLength: 53 }),
  checkpoint: notes,
})

describe('what is written is read again, and nothing else is read as it', () => {
  it('holds for notes and proofs, with any byte changed, left out or put in', () => {
    fc.assert(
      fc.property(
        logProofs,
        fc.nat(),
        fc.nat(255),
        fc.constantFrom('change', 'leave out', 'put in'),
        (written, pick, byte, how) => {
          const file = formatLogProof(written)
          expect(parseLogProof(file)).toEqual({ ok: true, logProof: written })
          expect(parseNote(formatNote(written.checkpoint))).toEqual({ ok: true, note: written.checkpoint })
          const at = pick % file.length
          const rest = file.subarray(how === 'put in' ? at : at + 1)
          const other = Uint8Array.from([...file.subarray(0, at), ...(how === 'leave out' ? [] : [byte]), ...rest])
          const read = parseLogProof(other)
          // Another file may be one too, but only as the one spelling of what it says.
          if (read.ok) expect(formatLogProof(read.logProof)).toEqual(other)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('holds for checkpoints and the paths of tiles', () => {
    fc.assert(
      fc.property(
        names,
        counts,
        hashes,
        fc.nat(63),
        fc.integer({ min: 1, max: 256 }),
        (origin, index, root, level, width) => {
          const checkpoint = { origin, size: index, root }
          expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual({ ok: true, checkpoint })
          for (const path of [
            { level, index, width },
            { level: 'entries' as const, index, width },
          ]) {
            expect(parseTilePath(formatTilePath(path))).toEqual({ ok: true, path })
          }
        },
      ),
    )
  })

  it('holds for bundles of entries', () => {
    const bundles = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 })
    fc.assert(
      fc.property(bundles, (entries) => {
        expect(parseEntryBundle(formatEntryBundle(entries), entries.length)).toEqual({ ok: true, entries })
      }),
      { numRuns: 30 },
    )
  })

  it('takes any bytes whatever without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseNote(bytes).ok).toBe(false)
        expect(parseLogProof(bytes).ok).toBe(false)
        expect(typeof parseEntryBundle(bytes, 3).ok).toBe('boolean')
      }),
    )
  })
})

describe('a tile with a bit of it flipped', () => {
  it('gives no proof that verifies, wherever the bit is in what the proof was made of', async () => {
    const tree = treeOf(700)
    const { root, claim } = await goodProof(tree)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('tile/0/001', 'tile/0/002', 'tile/1/000'), fc.nat(), async (name, pick) => {
        const read = tree.tiles.get(name) ?? new Uint8Array(0)
        // Leaf 300 is its own hash: the verifier has the entry and does not take it from the tile.
        const at = pick % read.length
        fc.pre(name !== 'tile/0/001' || Math.floor(at / 32) !== 300 - 256)
        fc.pre(name !== 'tile/1/000' || Math.floor(at / 32) !== 1)
        const readTiles: typeof tree.readTiles = async (tiles) =>
          tiles.map((tile) => (nameOf(tile) === name ? flipped(read, at) : (tree.tiles.get(nameOf(tile)) ?? null)))
        const made = await makeInclusionProof({ sha256, readTiles }, 300, 700)
        const proof = made.ok ? made.proof : []
        expect(verifyInclusion(sha256, { ...claim, proof, root })).toEqual({ ok: false, reason: 'root-mismatch' })
      }),
      { numRuns: 60 },
    )
  })
})

async function goodProof(tree: ReturnType<typeof treeOf>) {
  const root = rootOfEdge(sha256, tree.edge)
  const made = await makeInclusionProof(tree.deps, 300, 700)
  const claim = { leaf: tree.leaves[300] ?? new Uint8Array(0), index: 300, size: 700, proof: made.ok ? made.proof : [] }
  expect(verifyInclusion(sha256, { ...claim, root })).toEqual({ ok: true })
  return { root, claim }
}
