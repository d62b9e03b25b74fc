import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Sql, Statements } from './client.js'
import { type MigrationWait, takeMigrationLock } from './migration-lock.js'

export type Migration = {
  readonly version: number
  readonly name: string
  readonly sha256: string
  readonly text: string
}
export type MigrationResult = { readonly applied: readonly string[]; readonly version: number }

/** `migrations/` beside `src/` and `dist/`. */
const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../migrations/', import.meta.url))

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/

/** The migration files in order. Throws if the versions are not 1, 2, 3, … */
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
 * Brings `schema` to the newest version. Safe with several instances: each migration is a transaction that first waits
 * for the lock and then looks at what the others have recorded meanwhile. The lock is the transaction's, so it cannot
 * be lost without it: a client reconnects silently, and a session's lock would be gone. A database that is newer than
 * this program, or whose applied files were different ones, is refused untouched.
 *
 * `direct` leads around any pooler and sets no limit to statements (`statementMsMax: 0`).
 *
 * A crash leaves a whole number of files applied; the next start goes on from there.
 */
export async function migrate(
  direct: Sql,
  schema: string,
  migrations: readonly Migration[],
  wait: MigrationWait = {},
): Promise<MigrationResult> {
  const applied: string[] = []
  for (;;) {
    const name = await direct.begin((tx) => applyNext(tx, schema, migrations, wait))
    if (name === undefined) return { applied, version: migrations.length }
    applied.push(name)
  }
}

/** Applies the first migration that is missing, and answers its name; undefined if none is. */
async function applyNext(
  tx: Statements,
  schema: string,
  migrations: readonly Migration[],
  wait: MigrationWait,
): Promise<string | undefined> {
  await tx`select set_config('statement_timeout', '0', true), set_config('search_path', ${schema}, true)`
  await takeMigrationLock(tx, schema, wait)
  // `if not exists` would still ask for the right to create: a role that may only use the schema must get through.
  const [existing] = await tx`select 1 from pg_namespace where nspname = ${schema}`
  if (existing === undefined) await tx`create schema ${tx(schema)}`
  await tx`create table if not exists schema_migrations (
    version integer primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())`
  const recorded = await tx<{ version: number; name: string; sha256: string }[]>`
    select version, name, sha256 from schema_migrations order by version`
  refuseStrangers(recorded, migrations)
  const next = migrations[recorded.length]
  if (next === undefined) return undefined
  await tx.unsafe(next.text).simple()
  await tx`insert into schema_migrations (version, name, sha256) values (${next.version}, ${next.name}, ${next.sha256})`
  return next.name
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
