import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { reserveConnection, type Sql } from './client.js'

export type Migration = {
  readonly version: number
  readonly name: string
  readonly sha256: string
  readonly text: string
}
export type MigrationResult = { readonly applied: readonly string[]; readonly version: number }

/** `migrations/` beside `src/` and `dist/`. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../migrations/', import.meta.url))

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/

/** The migration files in order. Throws where the versions are not 1, 2, 3, … */
export async function readMigrations(directory = MIGRATIONS_DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => FILE_NAME.test(name)).sort()
  return Promise.all(
    names.map(async (name, index) => {
      const version = Number(FILE_NAME.exec(name)?.[1])
      if (version !== index + 1) throw new Error(`Migration ${name} should have number ${index + 1}.`)
      const text = await readFile(`${directory}/${name}`, 'utf8')
      return { version, name, sha256: createHash('sha256').update(text).digest('hex'), text }
    }),
  )
}

/**
 * Brings `schema` to the newest version. Safe with several instances: a session lock, taken on the direct connection,
 * lets one migrate while the others wait. A database that is newer than this program, or whose applied files were
 * different ones, is refused untouched.
 *
 * A crash between two files leaves a whole number of files applied; the next start goes on from there.
 */
export async function migrate(direct: Sql, schema: string, migrations: readonly Migration[]): Promise<MigrationResult> {
  const connection = await reserveConnection(direct)
  try {
    await connection`select set_config('statement_timeout', '0', false)`
    await connection`select pg_advisory_lock(hashtextextended(${`llmring-migrate:${schema}`}, 0))`
    try {
      return await applyMissing(connection, schema, migrations)
    } finally {
      await connection`select pg_advisory_unlock(hashtextextended(${`llmring-migrate:${schema}`}, 0))`
      await connection`reset statement_timeout`
    }
  } finally {
    connection.release()
  }
}

async function applyMissing(sql: Sql, schema: string, migrations: readonly Migration[]): Promise<MigrationResult> {
  // `if not exists` would still ask for the right to create: a role that may only use the schema must get through.
  const [existing] = await sql`select 1 from pg_namespace where nspname = ${schema}`
  if (existing === undefined) await sql`create schema ${sql(schema)}`
  await sql`select set_config('search_path', ${schema}, false)`
  await sql`create table if not exists schema_migrations (
    version integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`
  const recorded = await sql<{ version: number; name: string; sha256: string }[]>`
    select version, name, sha256 from schema_migrations order by version`
  refuseStrangers(recorded, migrations)
  const missing = migrations.slice(recorded.length)
  for (const migration of missing) {
    const record = `insert into schema_migrations (version, name, sha256) values (${migration.version}, '${migration.name}', '${migration.sha256}')`
    // One simple-protocol string: the file and its record are one transaction.
    await sql
      .unsafe(`begin;\n${migration.text}\n;${record};\ncommit;`)
      .simple()
      .catch(async (error: unknown) => {
        await sql`rollback`.catch(() => undefined)
        throw error
      })
  }
  return { applied: missing.map((migration) => migration.name), version: migrations.length }
}

function refuseStrangers(
  recorded: readonly { version: number; name: string; sha256: string }[],
  known: readonly Migration[],
): void {
  for (const row of recorded) {
    const migration = known[row.version - 1]
    if (migration === undefined) {
      throw new Error(
        `The database is at version ${recorded.length}, newer than this program (${known.length}). Upgrade the program.`,
      )
    }
    if (migration.sha256 !== row.sha256) {
      throw new Error(
        `Migration ${row.name} was applied with other contents than ${migration.name} has now. Restore the file.`,
      )
    }
  }
}
