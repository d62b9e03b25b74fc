import type { CatalogTable } from './catalog.js'
import { quoted } from './catalog.js'
import type { LongTransaction } from './long-transaction.js'

/**
 * A table's rows in COPY's text format, in pieces of any size. The server sends no faster than the pieces are taken.
 */
export async function* copyOut(transaction: LongTransaction, table: CatalogTable): AsyncGenerator<Buffer> {
  const copy = await transaction.sql.unsafe(`copy ${source(table)} to stdout`).readable()
  let finished = false
  try {
    const pieces: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => copy.iterator({ destroyOnReturn: false }) }
    for await (const piece of pieces) yield piece
    finished = true
    // The driver pauses its socket on a full buffer and resumes it when more is asked for. After the last piece nothing
    // asks, and every later statement would wait for ever.
    copy._read(0)
  } finally {
    if (!finished && !copy.destroyed) {
      // The reader has stopped. Left alone, the server would wait for its reader for ever, and this process for the
      // server.
      copy.on('error', () => undefined)
      await transaction.cut()
    }
  }
}

function source({ name, columns, partitioned }: CatalogTable): string {
  const list = columns.map(quoted).join(', ')
  // COPY reads tables directly, and partitioned ones through a query only.
  return partitioned ? `(select ${list} from ${quoted(name)})` : `${quoted(name)} (${list})`
}
