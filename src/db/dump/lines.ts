import { createHash, type Hash } from 'node:crypto'
import { DUMP_LIMITS } from './limits.js'

/** A dump that cannot be used. The message is for people. */
export class DumpFault extends Error {
  override readonly name = 'DumpFault'
}

export const NOT_A_DUMP = 'It is not a dump of llmring-server, or it is damaged.'
export const CUT_OFF = 'The dump is cut off: its end is missing.'

/**
 * The line behind a table's rows. COPY's text format writes every backslash of a value twice, so no row is this line.
 */
export const ROWS_END = '\\.\n'

const NEWLINE = Buffer.from('\n')
const NOTHING = Buffer.alloc(0)
const LAST_ROW_END = Buffer.from(`\n${ROWS_END}`)

export type LineReader = {
  /** The next line without its newline; undefined at the end. Throws `DumpFault` if it is too long or cut off. */
  line(): Promise<string | undefined>
  /**
   * All lines up to `ROWS_END`, in pieces of any size, which mean nothing: a row may lie in several. Takes that line,
   * too.
   */
  rows(): AsyncGenerator<Buffer>
  /** SHA-256 over all bytes before the line that was taken last, in hex. */
  digestBeforeLine(): string
}

/** Where a reader stands. */
type Position = {
  readonly pieces: AsyncIterator<Buffer>
  /** Over everything before the line that was taken last. */
  readonly hash: Hash
  /** What was read of the source and not yet taken. */
  rest: Buffer
  /** The line that was taken last, which is not yet hashed. */
  taken: Buffer
}

/** Reads lines from bytes that come in pieces of any size, and holds one piece or one line of them. */
export function createLineReader(source: AsyncIterable<Buffer>): LineReader {
  const pieces = source[Symbol.asyncIterator]()
  const at: Position = { pieces, hash: createHash('sha256'), rest: NOTHING, taken: NOTHING }
  return {
    line: () => takeLine(at),
    rows: () => takeRows(at),
    digestBeforeLine: () => at.hash.copy().digest('hex'),
  }
}

async function takeLine(at: Position): Promise<string | undefined> {
  hashTaken(at)
  let end = at.rest.indexOf(NEWLINE)
  while (end === -1) {
    if (at.rest.length > DUMP_LIMITS.documentBytesMax) throw new DumpFault(NOT_A_DUMP)
    const searched = at.rest.length
    if (!(await readOn(at))) {
      if (at.rest.length === 0) return undefined
      throw new DumpFault(CUT_OFF)
    }
    end = at.rest.indexOf(NEWLINE, searched)
  }
  at.taken = at.rest.subarray(0, end + 1)
  at.rest = at.rest.subarray(end + 1)
  return at.taken.toString('utf8', 0, end)
}

async function* takeRows(at: Position): AsyncGenerator<Buffer> {
  hashTaken(at)
  // The newline of the line before stands in front of the rows, so that the end is found even where there is no row.
  at.rest = Buffer.concat([NEWLINE, at.rest])
  for (let end = -1; end === -1; ) {
    end = at.rest.indexOf(LAST_ROW_END)
    // What may be the beginning of the end stays, its first byte has been given out before.
    const given = end === -1 ? Math.max(0, at.rest.length - LAST_ROW_END.length) : end
    const text = at.rest.subarray(1, given + 1)
    at.rest = at.rest.subarray(end === -1 ? given : end + LAST_ROW_END.length)
    at.hash.update(text)
    if (text.length > 0) yield text
    if (end === -1 && !(await readOn(at))) throw new DumpFault(CUT_OFF)
  }
  at.hash.update(ROWS_END)
}

/** Puts another piece behind what is left; false at the end of the source. */
async function readOn(at: Position): Promise<boolean> {
  const piece = await at.pieces.next()
  if (piece.done === true) return false
  at.rest = at.rest.length === 0 ? piece.value : Buffer.concat([at.rest, piece.value])
  return true
}

/** Adds the line that was taken last to the digest, for another one takes its place. */
function hashTaken(at: Position): void {
  at.hash.update(at.taken)
  at.taken = NOTHING
}
