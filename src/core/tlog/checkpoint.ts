import { decodeBase64, encodeBase64 } from './base64.js'
import { hashBytes } from './merkle-hash.js'
import { isKeyName } from './note-key.js'
import { readDecimal } from './plain-text.js'

/** The head of a log's tree (c2sp.org/tlog-checkpoint), without extension lines. */
export interface Checkpoint {
  /** The log's identity, and the name of its key. */
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

export type CheckpointFault = 'not-three-lines' | 'bad-origin' | 'bad-tree-size' | 'bad-root'

export type CheckpointResult =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly reason: CheckpointFault }

/** The text of a checkpoint's note: origin, size and root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

/**
 * Reads the text of a checkpoint's note, in the one spelling that `formatCheckpoint` gives. Extension lines are refused,
 * because monitors cannot check what they say. Sizes up to 2^53 - 1.
 */
export function parseCheckpoint(text: string): CheckpointResult {
  const lines = text.split('\n', 5)
  const [origin = '', sizeText = '', rootText = '', end] = lines
  if (lines.length !== 4 || end !== '') return { ok: false, reason: 'not-three-lines' }
  if (!isKeyName(origin)) return { ok: false, reason: 'bad-origin' }
  const size = readDecimal(sizeText)
  if (size === null) return { ok: false, reason: 'bad-tree-size' }
  const root = decodeBase64(rootText, hashBytes)
  if (root?.length !== hashBytes) return { ok: false, reason: 'bad-root' }
  return { ok: true, checkpoint: { origin, size, root } }
}
