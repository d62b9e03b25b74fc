import { readFile } from 'node:fs/promises'
import type { Sql } from './client.js'

/** It lies beside this file in `src/`, also for the built program. */
const CITUS_FILE = new URL('../../src/db/citus.sql', import.meta.url)

/**
 * Lays the migrated tables out over a Citus cluster, as `citus.sql` says, and answers the tables that were moved. What
 * lies right is left alone. Throws if the database has no Citus. `direct` leads around any pooler, sets no limit to
 * statements and finds the schema of the service first.
 *
 * Crash between two statements: the tables before it are distributed; the next run goes on from there.
 */
export async function distributeTables(direct: Sql): Promise<string[]> {
  const [citus] = await direct<{ found: boolean }[]>`select to_regproc('create_distributed_table') is not null as found`
  if (citus?.found !== true) {
    throw new Error(
      'This database has no Citus, so nothing was distributed. Load it (shared_preload_libraries = citus), run CREATE EXTENSION citus as a superuser on the coordinator and the workers, add the workers, and try again.',
    )
  }
  const moved: string[] = []
  for (const statement of splitStatements(await readFile(CITUS_FILE, 'utf8'))) {
    const rows = await direct.unsafe(statement)
    const table = /create_\w+_table\('(\w+)'/.exec(statement)?.[1]
    if (rows.length > 0 && table !== undefined) moved.push(table)
  }
  return moved
}

/**
 * Each in a transaction of its own: Citus refuses some of them together. No statement of the file holds a semicolon.
 */
function splitStatements(text: string): string[] {
  const statements = text
    .replace(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
  return statements.filter((statement) => statement !== '')
}
