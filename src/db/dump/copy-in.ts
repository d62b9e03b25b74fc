import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Statements } from '../client.js'
import { quoted } from './catalog.js'
import type { DumpTable } from './documents.js'
import type { LineReader } from './lines.js'
import { countRows, type Progress } from './progress.js'

/** Writes a table's rows, up to the line that ends them, and says how many there were. */
export async function copyIn(
  sql: Statements,
  { table, columns }: DumpTable,
  lines: LineReader,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<number> {
  let rows = 0
  let bytes = 0
  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const piece of lines.rows()) {
      rows += countRows(piece)
      bytes += piece.length
      onProgress?.({ table, rows, bytes, done: false })
      yield piece
    }
  }
  const rowsIn = await sql.unsafe(`copy ${quoted(table)} (${columns.map(quoted).join(', ')}) from stdin`).writable()
  // On a failure of our own the stream tells the server, which gives the COPY up.
  await pipeline(Readable.from(pieces(), { objectMode: false }), rowsIn)
  onProgress?.({ table, rows, bytes, done: true })
  return rows
}
