import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Migration } from '../migrate.js'
import { type DumpHeader, decodeHeader } from './documents.js'
import { DUMP_LIMITS } from './limits.js'
import { CUT_OFF, createLineReader, DumpFault, type LineReader, NOT_A_DUMP } from './lines.js'

/** A dump whose header has been read, and nothing else yet. */
export type OpenDump = {
  readonly header: DumpHeader
  readonly lines: LineReader
  /** How many bytes of the file have been read. */
  readonly bytes: () => number
  /** Stops reading. */
  close(): void
}

/**
 * Reads the header of a dump from `input`. `known`: all migrations of this program. Throws `DumpFault` where it is not
 * a dump, or one that this program cannot restore.
 */
export async function openDump(input: Readable, known: readonly Migration[]): Promise<OpenDump> {
  let bytes = 0
  const gunzip = createGunzip({ chunkSize: DUMP_LIMITS.pieceBytes })
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      bytes += chunk.length
      yield chunk
    }
  }
  // What goes wrong here goes wrong for the reader of `gunzip`, too: that is where it is reported.
  pipeline(input, counted, gunzip, () => undefined)
  const lines = createLineReader(readable(gunzip))
  try {
    const header = decodeHeader(await lines.line())
    checkVersion(header, known)
    return { header, lines, bytes: () => bytes, close: () => void gunzip.destroy() }
  } catch (error) {
    gunzip.destroy()
    throw error
  }
}

/** This program's migrations must begin with the dump's. */
function checkVersion(header: DumpHeader, known: readonly Migration[]): void {
  if (header.schema_version > known.length) {
    throw new DumpFault(
      `The dump has schema version ${header.schema_version}, newer than this program (${known.length}). It was made by llmring-server ${header.service_version}: restore it with that version or a later one.`,
    )
  }
  const strange = header.migrations.find(({ sha256 }, index) => known[index]?.sha256 !== sha256)
  if (strange === undefined) return
  throw new DumpFault(
    `The dump's schema is another one: its migration ${strange.name} is not this program's. It was made by llmring-server ${header.service_version}: restore it with that version.`,
  )
}

async function* readable(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source
  } catch (error) {
    throw isBadGzip(error) ? new DumpFault(BAD_GZIP[error.code] ?? NOT_A_DUMP, { cause: error }) : error
  }
}

const BAD_GZIP: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: CUT_OFF,
  Z_DATA_ERROR: NOT_A_DUMP,
}

function isBadGzip(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}
