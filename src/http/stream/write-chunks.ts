import type { ServerResponse } from 'node:http'
import { ResponseCut, type Streamed } from './stream.js'

/**
 * Writes chunks as they come, below Hono and without a web stream: a slow reader slows the generator, a reader that
 * leaves ends it, and a generator that throws cuts the connection. Never rejects.
 */
export async function writeChunks(outgoing: ServerResponse, chunks: Streamed['chunks']): Promise<void> {
  const leave = () => void chunks.return(undefined).catch(() => undefined)
  // The generator may wait for long when its reader leaves.
  outgoing.once('close', leave)
  try {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      if (outgoing.destroyed) return leave()
      if (!outgoing.write(next.value)) await drained(outgoing)
    }
    outgoing.end()
  } catch (error) {
    outgoing.destroy(new ResponseCut(error))
  } finally {
    outgoing.off('close', leave)
  }
}

/** Resolves, too, when there is no reader any more. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve()
    const go = () => {
      outgoing.off('drain', go).off('close', go)
      resolve()
    }
    outgoing.once('drain', go).once('close', go)
  })
}
