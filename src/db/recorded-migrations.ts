import type { Statements } from './client.js'

/** A migration as the database recorded it. */
export type RecordedMigration = { readonly name: string; readonly sha256: string }

/** The migrations that made the current schema what it is, oldest first; none if it was never migrated. */
export async function listRecordedMigrations(sql: Statements): Promise<RecordedMigration[]> {
  const [record] = await sql<{ exists: boolean }[]>`select to_regclass('schema_migrations') is not null as exists`
  if (record?.exists !== true) return []
  return await sql<RecordedMigration[]>`select name, sha256 from schema_migrations order by version`
}
