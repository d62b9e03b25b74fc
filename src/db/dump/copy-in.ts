import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { quoted } from './catalog.js'
import type { DumpTable } from './documents.js'
import type { FrameReader } from './frames.js'
import type { LongSession } from './long-session.js'
import { countRows, type Progress } from './progress.js'

/** Writes a table's rows, up to the next frame that holds none, and says how many there were. */
export async function copyIn(
  session: LongSession,
  { table, columns }: DumpTable,
  frames: FrameReader,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<number> {
  let rows = 0
  let bytes = 0
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let next = await frames.peek(); next?.type === 'D'; next = await frames.peek()) {
      const { payload } = await frames.take()
      rows += countRows(payload)
      bytes += payload.length
      onProgress?.({ table, rows, bytes, done: false })
      yield payload
    }
  }
  const query = session.sql.unsafe(`copy ${quoted(table)} (${columns.map(quoted).join(', ')}) from stdin`)
  const rowsIn = await query.writable()
  // The driver tells nobody of a failure that comes after the last row (a duplicate key, a full disk): it rejects the
  // query, which is long resolved, and the stream would wait for ever.
  Object.assign(query, { reject: (error: Error) => rowsIn.destroy(error) })
  // On a failure of our own the stream tells the server, which gives the COPY up.
  await pipeline(Readable.from(pieces(), { objectMode: false }), rowsIn)
  onProgress?.({ table, rows, bytes, done: true })
  return rows
}
