import { createHash } from 'node:crypto'
import { DUMP_LIMITS } from './limits.js'

/** A dump that cannot be used. The message is for people. */
export class DumpFault extends Error {
  override readonly name = 'DumpFault'
}

export const NOT_A_DUMP = 'It is not a dump of llmring-server, or it is damaged.'
export const CUT_OFF = 'The dump is cut off: its end is missing.'

/** The line behind a table's rows. COPY's text format writes every backslash of a value twice, so no row is this line. */
export const ROWS_END = '\\.\n'

const NEWLINE = Buffer.from('\n')
const NOTHING = Buffer.alloc(0)
const LAST_ROW_END = Buffer.from(`\n${ROWS_END}`)

export type LineReader = {
  /** The next line without its newline; undefined at the end. Throws `DumpFault` if it is too long or cut off. */
  line(): Promise<string | undefined>
  /** All lines up to `ROWS_END`, in pieces of any size, which mean nothing: a row may lie in several. Takes that line, too. */
  rows(): AsyncGenerator<Buffer>
  /** SHA-256 over all bytes before the line that was taken last, in hex. */
  digestBeforeLine(): string
}

/** Reads lines from bytes that come in pieces of any size, and holds one piece or one line of them. */
export function createLineReader(source: AsyncIterable<Buffer>): LineReader {
  const pieces = source[Symbol.asyncIterator]()
  const hash = createHash('sha256')
  /** What was read of `source` and not yet taken. */
  let rest: Buffer = NOTHING
  /** The line that was taken last, which is not yet hashed. */
  let taken: Buffer = NOTHING

  /** Puts another piece behind what is left; false at the end of the source. */
  const readOn = async (): Promise<boolean> => {
    const piece = await pieces.next()
    if (piece.done === true) return false
    rest = rest.length === 0 ? piece.value : Buffer.concat([rest, piece.value])
    return true
  }

  const line = async () => {
    hash.update(taken)
    taken = NOTHING
    let end = rest.indexOf(NEWLINE)
    while (end === -1) {
      if (rest.length > DUMP_LIMITS.documentBytesMax) throw new DumpFault(NOT_A_DUMP)
      const searched = rest.length
      if (!(await readOn())) {
        if (rest.length === 0) return undefined
        throw new DumpFault(CUT_OFF)
      }
      end = rest.indexOf(NEWLINE, searched)
    }
    taken = rest.subarray(0, end + 1)
    rest = rest.subarray(end + 1)
    return taken.toString('utf8', 0, end)
  }

  async function* rows(): AsyncGenerator<Buffer> {
    hash.update(taken)
    taken = NOTHING
    // The newline of the line before stands in front of the rows, so that the end is found even where there is no row.
    rest = Buffer.concat([NEWLINE, rest])
    for (let end = -1; end === -1; ) {
      end = rest.indexOf(LAST_ROW_END)
      // What may be the beginning of the end stays, its first byte has been given out before.
      const given = end === -1 ? Math.max(0, rest.length - LAST_ROW_END.length) : end
      const text = rest.subarray(1, given + 1)
      rest = rest.subarray(end === -1 ? given : end + LAST_ROW_END.length)
      hash.update(text)
      if (text.length > 0) yield text
      if (end === -1 && !(await readOn())) throw new DumpFault(CUT_OFF)
    }
    hash.update(ROWS_END)
  }

  return { line, rows, digestBeforeLine: () => hash.copy().digest('hex') }
}
