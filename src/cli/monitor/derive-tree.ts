import {
  appendLeaves,
  type Checkpoint,
  edgeTiles,
  formatTilePath,
  hashLeaf,
  parseEntryBundle,
  rootOfEdge,
  sameBytes,
  type Tile,
  type TreeEdge,
  tileWidth,
} from '../../core/tlog/index.js'
import { sha256 } from '../../platform/sha256.js'
import { CLI_LIMITS } from '../limits.js'
import { Finding } from './finding.js'
import type { LogReader } from './log-reader.js'

export type DeriveDeps = {
  readonly reader: LogReader
  /** Told after each bundle: how many entries were derived, and the edge to go on from where all of its tiles are whole. */
  readonly onProgress: (size: number, whole: TreeEdge) => Promise<void>
}

/**
 * Derives a checkpoint's tree from the log's entries alone, from `start` on, and holds every tile that the log serves
 * against it. Memory does not grow with the log: a few bundles are on their way at a time. Throws a `Finding`.
 */
export async function deriveTree(deps: DeriveDeps, checkpoint: Checkpoint, start: TreeEdge): Promise<void> {
  const { size, root } = checkpoint
  let edge = start
  for await (const { index, bundle, tile } of readBundles(deps.reader, start.size, size)) {
    const width = widthAt(index, size)
    const parsed = parseEntryBundle(bundle, width)
    const name = formatTilePath({ level: 'entries', index, width })
    if (!parsed.ok) throw new Finding('bad', `${name} is no bundle of ${width} entries: ${parsed.reason}`)
    const leaves = parsed.entries.map((entry) => hashLeaf(sha256, entry))
    const appended = appendLeaves(sha256, edge, leaves)
    edge = appended.edge
    for (const derived of appended.tiles) {
      if (derived.level === 0) compareTile(derived, tile)
      else if (derived.width === tileWidth) await checkTile(deps.reader, derived)
    }
    await deps.onProgress(edge.size, edge)
  }
  // What is left at the right edge, above the leaves.
  for (const place of edgeTiles(size)) {
    const hashes = edge.partialTiles[place.level]
    if (place.level > 0 && hashes !== undefined) await checkTile(deps.reader, { ...place, hashes })
  }
  if (!sameBytes(rootOfEdge(sha256, edge), root)) {
    throw new Finding('bad', `the log's ${size} entries do not lead to the root that it signed`)
  }
}

type Bundle = { readonly index: number; readonly bundle: Uint8Array; readonly tile: Uint8Array }

/** Bundles in their order, each with its tile; the next ones are asked for meanwhile. */
async function* readBundles(reader: LogReader, from: number, size: number): AsyncGenerator<Bundle> {
  const waiting: Promise<Bundle>[] = []
  const last = Math.ceil(size / tileWidth)
  let next = from / tileWidth
  while (next < last || waiting.length > 0) {
    while (next < last && waiting.length < CLI_LIMITS.bundlesAheadMax) {
      const asked = readBundle(reader, next, widthAt(next, size))
      // If one before it fails, nobody waits for this one.
      asked.catch(() => undefined)
      waiting.push(asked)
      next += 1
    }
    const first = waiting.shift()
    if (first !== undefined) yield await first
  }
}

async function readBundle(reader: LogReader, index: number, width: number): Promise<Bundle> {
  const paths = [{ level: 'entries', index, width } as const, { level: 0, index, width } as const]
  const [bundle, tile] = await Promise.all(paths.map(reader.tile))
  return { index, bundle: bundle ?? new Uint8Array(0), tile: tile ?? new Uint8Array(0) }
}

const widthAt = (index: number, size: number): number => Math.min(tileWidth, size - index * tileWidth)

async function checkTile(reader: LogReader, derived: Tile): Promise<void> {
  compareTile(derived, await reader.tile(derived))
}

function compareTile(derived: Tile, served: Uint8Array): void {
  if (sameBytes(derived.hashes, served)) return
  throw new Finding('bad', `${formatTilePath(derived)} is not what the log's entries give`)
}
