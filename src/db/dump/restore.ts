import type { Statements } from '../client.js'
import { type Migration, migrate } from '../migrate.js'
import { ensureMonthlyPartitions } from '../partitions.js'
import { listRecordedMigrations } from '../recorded-migrations.js'
import { type CatalogTable, listFilled, listTables, quoted } from './catalog.js'
import { copyIn } from './copy-in.js'
import { type DumpTable, decodeTableOrFooter } from './documents.js'
import { DumpFault } from './lines.js'
import { type DirectClient, inLongTransaction, withClient } from './long-transaction.js'
import type { OpenDump } from './open-dump.js'
import type { Progress, Summary } from './progress.js'

export type RestoreOptions = {
  /** Around any pooler. */
  readonly direct: DirectClient
  /** All that this program knows: those that the dump was checked against. */
  readonly migrations: readonly Migration[]
  readonly onProgress?: (progress: Progress) => void
}

const APPLICATION = 'llmring-server restore'

/**
 * Reads a dump into a database that has no rows. Migrates it first to the dump's version, and after the restore to the
 * newest one. All rows come in one transaction, which is committed only when the last line has proved the dump to be
 * whole. Throws `DumpFault` for a dump that cannot be used, and where the database is not empty or already past the
 * dump's version.
 */
export async function restoreDump(options: RestoreOptions, dump: OpenDump): Promise<Summary> {
  const { direct, migrations } = options
  // Crash in here: a migrated database without rows, perhaps with empty partitions, which the next restore accepts.
  await prepare(options, dump)
  const tables = await inLongTransaction(direct, APPLICATION, '', ({ sql }) => restoreRows(sql, options, dump))
  // Crash before this: everything is restored, at the dump's version; the service's next start migrates it.
  await withClient(direct, APPLICATION, (client) => migrate(client, direct.schema, migrations))
  return { tables, bytes: dump.bytes() }
}

/** Brings the empty database to the dump's version, with partitions for the dump's months. */
async function prepare({ direct, migrations }: RestoreOptions, { header }: OpenDump): Promise<void> {
  await withClient(direct, APPLICATION, async (client) => {
    const present = await listRecordedMigrations(client)
    if (present.length > header.schema_version) {
      throw new Error(
        `The database is at version ${present.length}, past the dump's version ${header.schema_version}. Restore into a database or schema that was never migrated; it is brought to the newest version afterwards.`,
      )
    }
    await migrate(client, direct.schema, migrations.slice(0, header.schema_version))
    await refuseFilled(client, await listTables(client))
    for (const [table, times] of Object.entries(header.partition_times)) {
      for (const time of times) await ensureMonthlyPartitions(client, table, Date.parse(time), 0)
    }
  })
}

async function restoreRows(
  sql: Statements,
  { onProgress }: RestoreOptions,
  { lines }: OpenDump,
): Promise<Record<string, number>> {
  const present = await listTables(sql)
  await sql.unsafe(`lock table ${present.map(({ name }) => quoted(name)).join(', ')} in exclusive mode`)
  await refuseFilled(sql, present)
  const rows: Record<string, number> = {}
  let next = decodeTableOrFooter(await lines.line())
  for (; 'table' in next; next = decodeTableOrFooter(await lines.line())) {
    refuseStranger(next, present, rows)
    rows[next.table] = await copyIn(sql, next, lines, onProgress)
  }
  const whole = next.sha256 === lines.digestBeforeLine() && sameCounts(next.row_counts, rows)
  if (!whole || (await lines.line()) !== undefined) {
    throw new DumpFault('The dump is damaged: its checksum does not match.')
  }
  await goOnFromHere(sql, present)
  // Without statistics the first queries would be planned as if the tables were empty.
  for (const { name } of present) await sql.unsafe(`analyze ${quoted(name)}`)
  return rows
}

/** What a dump may not bring back as it was, since time has passed. Tables that are younger than the dump are not there. */
async function goOnFromHere(sql: Statements, present: readonly CatalogTable[]): Promise<void> {
  // Revisions after the dump were made may have been seen, and will be taken again: they count in a new epoch.
  if (present.some(({ name, columns }) => name === 'alias_heads' && columns.includes('epoch'))) {
    await sql.unsafe('update alias_heads set epoch = gen_random_uuid()')
  }
  // What waited for a webhook when the dump was made has been delivered since, or it is a copy that must not send it.
  if (present.some(({ name }) => name === 'webhook_deliveries')) await sql.unsafe('delete from webhook_deliveries')
  // What comes next is logged after what was pending in the dump.
  if (present.some(({ name }) => name === 'log_pending')) {
    await sql.unsafe(
      "select setval(pg_get_serial_sequence('log_pending', 'id'), (select coalesce(max(id), 0) + 1 from log_pending), false)",
    )
  }
}

async function refuseFilled(sql: Statements, tables: readonly CatalogTable[]): Promise<void> {
  const filled = await listFilled(sql, tables)
  if (filled.length === 0) return
  throw new Error(
    `The database is not empty: there are rows in ${filled.join(', ')}. Restore into an empty database, or into another schema of this one (LLMRING_DATABASE_SCHEMA).`,
  )
}

function refuseStranger({ table, columns }: DumpTable, present: readonly CatalogTable[], rows: object): void {
  const here = present.find(({ name }) => name === table)
  const known = columns.every((column) => here?.columns.includes(column) === true)
  if (here === undefined || !known || columns.length !== here.columns.length) {
    throw new DumpFault(`The dump holds a table '${table}' that this database does not have in that form.`)
  }
  if (Object.hasOwn(rows, table)) throw new DumpFault(`The dump is damaged: it holds table '${table}' twice.`)
}

function sameCounts(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
