import { z } from 'zod'
import { DumpFault, encodeFrame, type Frame, type FrameType } from './frames.js'

const FORMAT = 'llmring-server dump'
export const FORMAT_VERSION = 1

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
  partition_times: z.record(name, z.array(z.iso.datetime())),
})

const Table = z.object({
  table: name,
  columns: z.array(name).min(1),
})

const Footer = z.object({
  /** How many rows each table has. */
  tables: z.record(name, z.int().min(0)),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export type DumpHeader = z.output<typeof Header>
export type DumpTable = z.output<typeof Table>
export type DumpFooter = z.output<typeof Footer>

export function encodeHeader(header: Omit<DumpHeader, 'format' | 'format_version'>): Buffer {
  return encodeDocument('H', { format: FORMAT, format_version: FORMAT_VERSION, ...header } satisfies DumpHeader)
}

export function encodeTable(table: DumpTable): Buffer {
  return encodeDocument('T', table)
}

export function encodeFooter(footer: DumpFooter): Buffer {
  return encodeDocument('F', footer)
}

/** Throws `DumpFault` where the frame is not a header, or one of a format that this program does not know. */
export function decodeHeader(frame: Frame): DumpHeader {
  const header = decode('H', frame, Header)
  if (header.format_version === FORMAT_VERSION && header.migrations.length === header.schema_version) return header
  throw new DumpFault(
    `The dump has format ${header.format_version}, and this program knows format ${FORMAT_VERSION}. Restore it with llmring-server ${header.service_version}.`,
  )
}

export function decodeTable(frame: Frame): DumpTable {
  return decode('T', frame, Table)
}

export function decodeFooter(frame: Frame): DumpFooter {
  return decode('F', frame, Footer)
}

function encodeDocument(type: FrameType, document: unknown): Buffer {
  return encodeFrame(type, Buffer.from(`${JSON.stringify(document)}\n`))
}

function decode<T extends z.ZodType>(type: FrameType, frame: Frame, schema: T): z.output<T> {
  const parsed = frame.type === type ? schema.safeParse(parseJson(frame.payload)) : undefined
  if (parsed?.success === true) return parsed.data
  throw new DumpFault('It is not a dump of llmring-server, or it is damaged.')
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
