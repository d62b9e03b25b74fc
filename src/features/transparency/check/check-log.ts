import {
  appendLeaves,
  emptyTree,
  hashLeaf,
  type NoteKey,
  rootOfEdge,
  type Tile,
  type TreeEdge,
  tileWidth,
} from '../../../core/tlog/index.js'
import { sha256 } from '../../../platform/sha256.js'
import { openOwnNote } from '../guard/create-guard.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import { sameBytes } from '../tree-head.js'
import type { CheckStore } from './check-store.js'

/** Something that is not as it should be. */
export type LogFinding = {
  readonly kind:
    | 'missing-entry'
    | 'wrong-tile'
    | 'missing-tile'
    | 'extra-tile'
    | 'wrong-checkpoint'
    | 'wrong-head'
    | 'unsigned-checkpoint'
    | 'receipt-not-logged'
    | 'receipt-entry-wrong'
  readonly detail: string
}

type CheckProgress = { readonly entries: number; readonly receipts: number }

export type CheckDeps = {
  readonly store: CheckStore
  /** Null if no key is known here: then no signature is verified. */
  readonly logKey: NoteKey | null
  readonly find: (finding: LogFinding) => void
  readonly onProgress: (progress: CheckProgress) => void
}

export type CheckedLog = { readonly entries: number; readonly checkpoints: number; readonly tiles: number }

const { checkEntriesMax } = TRANSPARENCY_LIMITS

/**
 * Makes the tree anew from its entries, page by page in constant memory, and compares with it every tile, every kept
 * checkpoint and the head. The log may grow meanwhile: what was there at the beginning is checked.
 */
export async function checkLog(deps: CheckDeps): Promise<CheckedLog> {
  const { store, find } = deps
  const head = await store.readHead()
  if (head === undefined) return { entries: 0, checkpoints: 0, tiles: 0 }
  let edge: TreeEdge = emptyTree
  let tiles = 0
  let checkpoints = await checkCheckpoints(deps, edge, -1)
  while (edge.size < head.size) {
    const entries = await store.readEntries(edge.size, Math.min(checkEntriesMax, head.size - edge.size))
    if (entries.length === 0) {
      find({ kind: 'missing-entry', detail: `There is no entry ${edge.size}; the head says ${head.size}.` })
      return { entries: edge.size, checkpoints, tiles }
    }
    const begin = edge.size
    const grown = await growTo(deps, edge, entries)
    edge = grown.edge
    checkpoints += grown.checkpoints
    tiles += await compareTiles(deps, grown.tiles, edge.size === head.size)
    deps.onProgress({ entries: begin + entries.length, receipts: 0 })
  }
  if (!sameBytes(rootOfEdge(sha256, edge), head.root)) {
    find({ kind: 'wrong-head', detail: `The head of size ${head.size} has another root than its entries.` })
  }
  await findExtraTiles(deps, head.size)
  return { entries: edge.size, checkpoints, tiles }
}

/** Appends a page of entries, stopping at each size of which a checkpoint is kept. */
async function growTo(deps: CheckDeps, from: TreeEdge, entries: readonly Uint8Array[]) {
  const written = new Map<string, Tile>()
  const sizes = await deps.store.listCheckpointSizes(from.size, from.size + entries.length)
  let edge = from
  let checkpoints = 0
  for (const size of [...sizes, from.size + entries.length]) {
    const leaves = entries.slice(edge.size - from.size, size - from.size).map((entry) => hashLeaf(sha256, entry))
    if (leaves.length === 0) continue
    const before = edge.size
    const appended = appendLeaves(sha256, edge, leaves)
    edge = appended.edge
    for (const tile of appended.tiles) written.set(`${tile.level}/${tile.index}`, tile)
    checkpoints += await checkCheckpoints(deps, edge, before)
  }
  return { edge, checkpoints, tiles: [...written.values()] }
}

/** The checkpoints above `after`, up to the size of the tree; there is one at most, and that of the whole tree. */
async function checkCheckpoints({ store, logKey, find }: CheckDeps, edge: TreeEdge, after: number): Promise<number> {
  const kept = await store.readCheckpoints(after, edge.size)
  for (const { size, root, note } of kept) {
    if (size !== edge.size || !sameBytes(root, rootOfEdge(sha256, edge))) {
      find({ kind: 'wrong-checkpoint', detail: `The checkpoint of size ${size} has another root than the entries.` })
    }
    const stated = logKey === null ? null : await openOwnNote(logKey, new TextEncoder().encode(note))
    if (logKey !== null && (stated?.size !== size || !sameBytes(stated.root, root))) {
      find({
        kind: 'unsigned-checkpoint',
        detail: `The note of size ${size} does not state, signed, what is kept of it.`,
      })
    }
  }
  return kept.length
}

/** Full tiles as soon as they are full, and partial ones at the end. */
async function compareTiles({ store, find }: CheckDeps, tiles: readonly Tile[], isEnd: boolean): Promise<number> {
  const due = tiles.filter(({ width }) => isEnd || width === tileWidth)
  const kept = new Map((await store.readTiles(due)).map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]))
  for (const { level, index, hashes } of due) {
    const name = `${level}/${index}`
    const found = kept.get(name)
    if (found === undefined) find({ kind: 'missing-tile', detail: `There is no tile ${name}.` })
    else if (!sameBytes(found.subarray(0, hashes.length), hashes) || found.length < hashes.length) {
      find({ kind: 'wrong-tile', detail: `Tile ${name} is not that of the entries.` })
    }
  }
  return due.length
}

/** Tiles of which the tree that was checked knows nothing, unless it has grown meanwhile. */
async function findExtraTiles({ store, find }: CheckDeps, size: number): Promise<void> {
  const now = (await store.readHead())?.size ?? size
  for (const { level, tiles } of await store.countTiles()) {
    const expected = Math.ceil(Math.floor(now / 256 ** level) / tileWidth)
    if (tiles > expected) {
      find({ kind: 'extra-tile', detail: `Level ${level} has ${tiles} tiles, and ${expected} belong to the tree.` })
    }
  }
}
