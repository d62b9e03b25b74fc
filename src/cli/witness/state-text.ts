import { type Checkpoint, formatCheckpoint, parseCheckpoint } from '../../core/tlog/index.js'

const HEADING = 'llmring-witness-state/v1'
const LINES_OF_CHECKPOINT = 3

/** By origin, the largest tree of each log that was cosigned. */
export type Heads = ReadonlyMap<string, Checkpoint>

/** What a witness keeps, as text: a heading, and three lines a log. */
export function formatState(heads: Heads): string {
  return `${HEADING}\n${[...heads.values()].map(formatCheckpoint).join('')}`
}

/** Reads it in the one spelling that `formatState` gives; null for anything else. */
export function parseState(text: string): Heads | null {
  const [heading, ...lines] = text.split('\n')
  if (heading !== HEADING || lines.pop() !== '' || lines.length % LINES_OF_CHECKPOINT !== 0) return null
  const heads = new Map<string, Checkpoint>()
  for (let at = 0; at < lines.length; at += LINES_OF_CHECKPOINT) {
    const read = parseCheckpoint(`${lines.slice(at, at + LINES_OF_CHECKPOINT).join('\n')}\n`)
    if (!read.ok || heads.has(read.checkpoint.origin)) return null
    heads.set(read.checkpoint.origin, read.checkpoint)
  }
  return heads
}
