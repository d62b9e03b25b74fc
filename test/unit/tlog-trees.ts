import { createHash } from 'node:crypto'
import {
  appendLeaves,
  emptyTree,
  formatTilePath,
  hashLeaf,
  type ReadTiles,
  type Tile,
  type TreeEdge,
} from '../../src/core/tlog/index.js'

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

function entryOf(index: number): Uint8Array {
  return new TextEncoder().encode(`entry ${index}`)
}

/** RFC 6962 section 2.1, word for word, over hashes of leaves; it remembers what it worked out once. */
export class NaiveTree {
  readonly #known = new Map<string, Uint8Array>()
  readonly #leaves: readonly Uint8Array[]

  constructor(leaves: readonly Uint8Array[]) {
    this.#leaves = leaves
  }

  /** MTH(D[start:end]). */
  root(start: number, end: number): Uint8Array {
    if (end === start) return sha256(new Uint8Array(0))
    const known = end === start + 1 ? this.#leaves[start] : this.#known.get(`${start}:${end}`)
    if (known !== undefined) return known
    const k = start + naiveSplit(end - start)
    const root = sha256(Buffer.concat([Buffer.of(1), this.root(start, k), this.root(k, end)]))
    this.#known.set(`${start}:${end}`, root)
    return root
  }

  /** PATH(index - start, D[start:end]) of section 2.1.1. */
  path(index: number, end: number, start = 0): Uint8Array[] {
    if (end === start + 1) return []
    const k = start + naiveSplit(end - start)
    return index < k
      ? [...this.path(index, k, start), this.root(k, end)]
      : [...this.path(index, end, k), this.root(start, k)]
  }

  /** SUBPROOF(m - start, D[start:end], b) of section 2.1.2; PROOF(m, D[n]) has b = true. */
  proof(m: number, end: number, start = 0, b = true): Uint8Array[] {
    if (m === end) return b ? [] : [this.root(start, end)]
    const k = start + naiveSplit(end - start)
    return m <= k
      ? [...this.proof(m, k, start, b), this.root(k, end)]
      : [...this.proof(m, end, k, false), this.root(start, k)]
  }
}

function naiveSplit(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1)
}

/** A tree whose tiles are kept as a log keeps them: one row a tile, which grows. */
export class StoredTree {
  readonly tiles = new Map<string, Uint8Array>()
  readonly leaves: Uint8Array[] = []
  edge: TreeEdge = emptyTree
  /** How many tiles each read asked for. */
  readonly reads: number[] = []

  append(count: number): readonly Tile[] {
    return this.appendEntries(Array.from({ length: count }, (_, at) => entryOf(this.leaves.length + at)))
  }

  appendEntries(entries: readonly Uint8Array[]): readonly Tile[] {
    const added = entries.map((entry) => hashLeaf(sha256, entry))
    this.leaves.push(...added)
    const { edge, tiles } = appendLeaves(sha256, this.edge, added)
    for (const tile of tiles) this.tiles.set(nameOf(tile), tile.hashes)
    this.edge = edge
    return tiles
  }

  readonly readTiles: ReadTiles = async (tiles) => {
    this.reads.push(tiles.length)
    return tiles.map((tile) => this.tiles.get(nameOf(tile)) ?? null)
  }

  get deps() {
    return { sha256, readTiles: this.readTiles }
  }
}

export function treeOf(size: number): StoredTree {
  const tree = new StoredTree()
  tree.append(size)
  return tree
}

export function nameOf({ level, index }: { readonly level: number; readonly index: number }): string {
  return formatTilePath({ level, index, width: 256 })
}

export function flipped(bytes: Uint8Array, at: number, bits = 1): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[at] = (changed[at] ?? 0) ^ bits
  return changed
}
