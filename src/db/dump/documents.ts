import { z } from 'zod'
import { DUMP_LIMITS } from './limits.js'
import { CUT_OFF, DumpFault, NOT_A_DUMP } from './lines.js'

const FORMAT = 'llmring-server dump'
const FORMAT_VERSION = 1

/** An identifier as our migrations write them; anything else in a dump is not ours, and would have to be quoted. */
const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/)

const Header = z.object({
  format: z.literal(FORMAT),
  format_version: z.int().min(1),
  service_version: z.string().max(64),
  /** The number of the newest migration that the dumped database had. */
  schema_version: z.int().min(1),
  /** RFC 3339 in UTC: the moment that the dump shows. */
  created_at: z.string().max(64),
  migrations: z.array(z.object({ name: z.string().max(128), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
  /** For each table that is partitioned by month: a moment in every month that has rows. */
  partition_times: z.record(name, z.array(z.iso.datetime()).max(DUMP_LIMITS.monthsMax)),
})

const Table = z.object({
  table: name,
  columns: z.array(name).min(1),
})

const Footer = z.object({
  /** The last line of a dump that is whole. */
  complete: z.literal(true),
  /** How many rows each table has. */
  row_counts: z.record(name, z.int().min(0)),
  /** Over all bytes before this line. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export type DumpHeader = z.output<typeof Header>
export type DumpTable = z.output<typeof Table>
export type DumpFooter = z.output<typeof Footer>

export function encodeHeader(header: Omit<DumpHeader, 'format' | 'format_version'>): Buffer {
  return encode({ format: FORMAT, format_version: FORMAT_VERSION, ...header } satisfies DumpHeader)
}

export function encodeTable(table: DumpTable): Buffer {
  return encode(table)
}

export function encodeFooter(footer: Omit<DumpFooter, 'complete'>): Buffer {
  return encode({ complete: true, ...footer } satisfies DumpFooter)
}

/** Throws `DumpFault` if the line is not a header, or one of a format that this program does not know. */
export function decodeHeader(line: string | undefined): DumpHeader {
  const header = decode(line, Header)
  if (header.format_version === FORMAT_VERSION && header.migrations.length === header.schema_version) return header
  throw new DumpFault(
    `The dump has format ${header.format_version}, and this program knows format ${FORMAT_VERSION}. Restore it with llmring-server ${header.service_version}.`,
  )
}

/**
 * What stands behind the header and behind each table's rows: the next table, or the end. Throws `DumpFault` for
 * anything else.
 */
export function decodeTableOrFooter(line: string | undefined): DumpTable | DumpFooter {
  return decode(line, z.union([Table, Footer]))
}

function encode(document: DumpHeader | DumpTable | DumpFooter): Buffer {
  return Buffer.from(`${JSON.stringify(document)}\n`)
}

function decode<T extends z.ZodType>(line: string | undefined, schema: T): z.output<T> {
  if (line === undefined) throw new DumpFault(CUT_OFF)
  const parsed = schema.safeParse(parseJson(line))
  if (parsed.success) return parsed.data
  throw new DumpFault(NOT_A_DUMP)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
