import { setTimeout as sleep } from 'node:timers/promises'
import { formatTilePath, noteBytesMax, type ReadTiles, type TilePath, tileWidth } from '../../core/tlog/index.js'
import { CLI_LIMITS } from '../limits.js'
import { Finding } from './finding.js'

const HASH_BYTES = 32
const ENTRY_LENGTH_BYTES = 2

/** Reads a log by its public routes. What cannot be read rejects with a `Finding`: undecided. */
export type LogReader = {
  checkpoint(): Promise<Uint8Array>
  /** The newest one that witnesses cosigned; null if the log has no such route, or none yet. */
  witnessedCheckpoint(): Promise<Uint8Array | null>
  /** A tile of hashes or a bundle of entries, as it was served. */
  tile(path: TilePath): Promise<Uint8Array>
  readonly readTiles: ReadTiles
}

/** `url` is the log's prefix; a URL without a path is that of a service, whose log is at /log. */
export function createLogReader(url: URL, signal: AbortSignal): LogReader {
  const path = url.pathname === '/' ? '/log' : url.pathname.replace(/\/$/, '')
  const get = (name: string, bytesMax: number) => fetchBytes(`${url.origin}${path}/${name}`, bytesMax, signal)
  const tile = async (wanted: TilePath): Promise<Uint8Array> => {
    const isFull = wanted.width === tileWidth
    const bytesMax = wanted.level === 'entries' ? CLI_LIMITS.bundleBytesMax : tileWidth * HASH_BYTES
    const bytes = await get(formatTilePath(wanted), bytesMax)
    if (bytes !== null) return bytes
    // Once a tile is full, a log need not serve its beginnings any more.
    const full = isFull ? null : await get(formatTilePath({ ...wanted, width: tileWidth }), bytesMax)
    if (full === null) throw new Finding('undecided', `the log does not serve ${formatTilePath(wanted)}`)
    return full.subarray(0, beginning(wanted, full))
  }
  return {
    tile,
    readTiles: (tiles) => Promise.all(tiles.map(tile)),
    checkpoint: async () => {
      const bytes = await get('checkpoint', noteBytesMax)
      if (bytes === null) throw new Finding('undecided', 'the log has no checkpoint')
      return bytes
    },
    witnessedCheckpoint: () => get('checkpoint/witnessed', noteBytesMax),
  }
}

/** How many bytes of a full tile, or of a full bundle, belong to a narrower one. */
function beginning({ level, width }: TilePath, bytes: Uint8Array): number {
  if (level !== 'entries') return width * HASH_BYTES
  let at = 0
  for (let entry = 0; entry < width; entry += 1) {
    at += ENTRY_LENGTH_BYTES + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  }
  return at
}

/** The body, or null if there is nothing there. A log that is busy, or away for a moment, is asked again. */
async function fetchBytes(url: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array | null> {
  let trouble = ''
  for (let attempt = 0; attempt < CLI_LIMITS.logAttemptsMax; attempt += 1) {
    const answer = await fetchOnce(url, bytesMax, signal)
    if ('bytes' in answer) return answer.bytes
    trouble = answer.trouble
    if (attempt < CLI_LIMITS.logAttemptsMax - 1) await sleep(answer.pauseMs, undefined, { signal })
  }
  throw new Finding('undecided', `${url}: ${trouble}`)
}

type Fetched = { readonly bytes: Uint8Array | null } | { readonly trouble: string; readonly pauseMs: number }

async function fetchOnce(url: string, bytesMax: number, signal: AbortSignal): Promise<Fetched> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CLI_LIMITS.logRequestMsMax)])
  const pauseMs = CLI_LIMITS.logRetryPauseMs
  try {
    const response = await fetch(url, { redirect: 'error', signal: limited })
    if (response.status === 200) return { bytes: await readBounded(response, url, bytesMax) }
    await response.body?.cancel()
    if (response.status === 404) return { bytes: null }
    const asked = Number(response.headers.get('retry-after') ?? 0) * 1000
    const wait = Number.isFinite(asked) ? Math.min(Math.max(asked, pauseMs), CLI_LIMITS.logRetryMsMax) : pauseMs
    return { trouble: `it answered with status ${response.status}`, pauseMs: wait }
  } catch (error) {
    if (error instanceof Finding || signal.aborted) throw error
    return { trouble: describeNetwork(error), pauseMs }
  }
}

async function readBounded({ body }: Response, url: string, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Finding('undecided', `${url}: its body is larger than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function describeNetwork(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return 'it could not be reached'
  if (cause.name === 'TimeoutError') return `it did not answer within ${CLI_LIMITS.logRequestMsMax / 1000} s`
  return 'code' in cause && typeof cause.code === 'string' ? `it could not be reached (${cause.code})` : cause.message
}
