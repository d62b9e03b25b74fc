import { readFile, stat } from 'node:fs/promises'
import {
  decodeBase64,
  edgeTiles,
  emptyTree,
  encodeBase64,
  formatNote,
  type Note,
  noteBytesMax,
  parseNote,
  type TreeEdge,
  tileWidth,
} from '../../core/tlog/index.js'
import { replaceFile } from '../../platform/durable.js'
import { CLI_LIMITS } from '../limits.js'
import { NotConfigured } from '../not-configured.js'

const HEADING = 'llmring-monitor-state/v1'
const MODE = 0o644
const NO_TILE = '-'
const HASH_BYTES = 32

/** What a monitor remembers of a log. */
export type MonitorState = {
  /** The last checkpoint that was found consistent; null before the first. */
  readonly note: Note | null
  /** The tree that was derived from the entries so far: whole tiles only. */
  readonly derived: TreeEdge
}

/** Reads it; a file that is not there is a monitor that knows nothing yet. Throws `NotConfigured` for another file. */
export async function readMonitorState(path: string): Promise<MonitorState> {
  const size = await stat(path).then(
    (stats) => stats.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    },
  )
  if (size === null) return { note: null, derived: emptyTree }
  const state = size > noteBytesMax + CLI_LIMITS.derivedBytesMax ? null : parseMonitorState(await readFile(path))
  if (state === null) throw new NotConfigured(`${path} is no state of a monitor. Name another file, or mend this one.`)
  return state
}

/** Replaces it at once and for certain: the checkpoint in it is what a rewritten log is held against. */
export async function writeMonitorState(path: string, state: MonitorState): Promise<void> {
  await replaceFile(path, formatMonitorState(state), MODE)
}

/** A line that says what follows, one for the derived tree, an empty one, and the note as it was served. */
function formatMonitorState({ note, derived }: MonitorState): string {
  const tiles = derived.partialTiles.map((tile) => (tile.length === 0 ? NO_TILE : encodeBase64(tile)))
  const line = ['derived', derived.size, ...tiles].join(' ')
  return `${HEADING}\n${line}\n\n${note === null ? '' : Buffer.from(formatNote(note)).toString()}`
}

export function parseMonitorState(bytes: Uint8Array): MonitorState | null {
  const text = Buffer.from(bytes).toString()
  const end = text.indexOf('\n\n')
  const [heading, line = '', ...rest] = text.slice(0, end).split('\n')
  const derived = parseDerived(line)
  if (end === -1 || heading !== HEADING || rest.length > 0 || derived === null) return null
  const noteText = text.slice(end + 2)
  if (noteText === '') return { note: null, derived }
  const parsed = parseNote(Buffer.from(noteText))
  return parsed.ok ? { note: parsed.note, derived } : null
}

function parseDerived(line: string): TreeEdge | null {
  const [keyword, sizeText = '', ...words] = line.split(' ')
  const size = /^\d{1,16}$/.test(sizeText) ? Number(sizeText) : Number.NaN
  if (keyword !== 'derived' || !Number.isSafeInteger(size) || size % tileWidth !== 0) return null
  const tiles = words.map((word) => (word === NO_TILE ? new Uint8Array(0) : decodeBase64(word, tileWidth * HASH_BYTES)))
  const partialTiles = tiles.filter((tile) => tile !== null)
  // As many hashes on each level as a tree of this size has behind its last whole tile.
  const widths = new Map(edgeTiles(size).map(({ level, width }) => [level, width]))
  const levels = Math.max(words.length, ...[...widths.keys()].map((level) => level + 1))
  const isEdge = Array.from({ length: levels }, (_, level) => {
    return (partialTiles[level]?.length ?? 0) === (widths.get(level) ?? 0) * HASH_BYTES
  }).every(Boolean)
  return partialTiles.length === words.length && isEdge ? { size, partialTiles } : null
}
