import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { distributeTables } from '../../src/db/distribute.js'
import { readSourceFiles } from '../arch/source-files.js'
import { readCatalog, tablesOfProjects } from '../support/composed-tables.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

/** The log is one tree, and the heads of chains are locked many at a time: they lie on the coordinator. */
const LOG = ['log_checkpoints', 'log_entries', 'log_head', 'log_pending', 'log_statements', 'log_tiles']
const STAY = ['pg_dist_partition', 'receipt_chains', ...LOG]
const REFERENCE = ['project_keys', 'projects', 'receipt_keys', 'registry_files']

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await cloneDatabase()
  sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

describe('distributing the tables', () => {
  it('says what is missing if the database has no Citus', async () => {
    await expect(distributeTables(sql)).rejects.toThrow(/has no Citus.*CREATE EXTENSION citus/)
  })

  it('moves every table once, by project or as a copy on each node, and nothing the second time', async () => {
    // There is no Citus here: these stand in for its two functions and its catalogue, and write down what they are told.
    await sql`create table pg_dist_partition (logicalrelid regclass, key text, beside text)`
    await sql`create function create_reference_table(moved regclass) returns void language sql as
      $$ insert into pg_dist_partition values (moved, null, null) $$`
    await sql`create function create_distributed_table(moved regclass, key text, colocate_with text) returns void
      language sql as $$ insert into pg_dist_partition values (moved, key, colocate_with) $$`
    const moved = await distributeTables(sql)
    const rows = await sql`select logicalrelid::text as table, key, beside from pg_dist_partition`
    const catalog = await readCatalog(sql)
    const tables = [...new Set(catalog.map(({ table }) => table))].filter((table) => !STAY.includes(table))
    expect(moved.toSorted()).toEqual(tables)
    const own = tablesOfProjects(catalog).filter((table) => table !== 'project_keys' && !STAY.includes(table))
    expect(rows.toSorted((one, other) => (one['table'] < other['table'] ? -1 : 1))).toEqual(
      tables.map((table) => ({
        table,
        key: own.includes(table) ? 'project_id' : null,
        beside: table === 'alias_heads' ? 'none' : own.includes(table) ? 'alias_heads' : null,
      })),
    )
    expect(tables.filter((table) => !own.includes(table))).toEqual(REFERENCE)
    expect(await distributeTables(sql)).toEqual([])
  })

  it('finds every unique key of what is distributed to begin with the project', async () => {
    const keys = await sql<{ table: string; first: string }[]>`
      select relname as table, attname as first from pg_index join pg_class on pg_class.oid = indrelid
      join pg_attribute on attrelid = indrelid and attnum = indkey[0]
      where relnamespace = 'llmring'::regnamespace and indisunique and relkind in ('r', 'p')
        and relname <> 'schema_migrations' and not relname = any(${`{${[...REFERENCE, ...STAY].join(',')}}`}::text::text[])`
    expect(keys.length).toBeGreaterThan(4)
    expect(keys.filter(({ first }) => first !== 'project_id')).toEqual([])
  })
})

describe('the statements of the features', () => {
  /** Where a time or a chance is read on its own, to be a parameter: `select now()`. */
  const ALONE = /select now\(\) as now/g
  const VOLATILE =
    /\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|random|gen_random_uuid|nextval)\(|\bcurrent_(timestamp|date|time)\b/
  const volatileIn = (text: string) => VOLATILE.exec(text.replace(ALONE, ''))?.[0]
  const stores = readSourceFiles('src')
    // The log's tables are on the coordinator.
    .filter(({ path }) => /^src\/features\/(?!transparency\/).*store\.ts$/.test(path))
    .map(({ path, text }) => ({ path, text: text.replace(/^\s*(\/?\*|\/\/).*$/gm, '') }))

  it('take times and chances as parameters', () => {
    expect(stores.length).toBeGreaterThan(4)
    for (const { path, text } of stores) {
      // `performance.now()` and the like are this process's, and no SQL. A plain SELECT may read the database's clock.
      const rest = text.replace(/\w+\.(now|random)\(/g, '').replace(/now\(\) as now|due_at <= now\(\)/g, '')
      expect([path, volatileIn(rest)]).toEqual([path, undefined])
    }
  })

  it.each(['coalesce(revoked_at, now())', 'set at = current_timestamp', 'values (gen_random_uuid())'])(
    'are looked through by a rule that finds %s',
    (text) => expect(volatileIn(text)).toBeDefined(),
  )

  /** Of what is in parentheses: Citus sends a subquery along with its outer query only if both are of one project. */
  const strayingIn = (text: string, distributed: readonly string[]) => {
    const ofTables = new RegExp(`\\b(?:from|join|update|using)\\s+(?:${distributed.join('|')})\\b`)
    const inParentheses = [...text.matchAll(/\(\s*(?:select|with|delete|update)\b/g)].map(({ index }) => {
      let depth = 0
      for (let end = index; end < text.length; end += 1) {
        if (text[end] === '(') depth += 1
        if (text[end] === ')') depth -= 1
        if (depth === 0) return text.slice(index, end + 1)
      }
      return text.slice(index)
    })
    return inParentheses.filter((query) => ofTables.test(query) && !query.includes('project_id'))
  }

  it('name the project in every subquery over what is distributed', async () => {
    const file = await readFile(new URL('../../src/db/citus.sql', import.meta.url), 'utf8')
    const distributed = [...file.matchAll(/create_distributed_table\('(\w+)'/g)].map(([, table]) => table ?? '')
    expect(distributed.length).toBeGreaterThan(20)
    for (const { path, text } of stores) {
      // A condition that has a name of its own is a part of the statement that it stands in.
      const whole = text.replace(/where \$\{(\w+)\}/g, (used, name) =>
        new RegExp(`\\b${name} = .{0,99}project_?id`, 'si').test(text) ? 'where project_id = …' : used,
      )
      expect([path, strayingIn(whole, distributed)]).toEqual([path, []])
    }
    const correlated = 'select from a where project_id = $1 and exists (select from aliases where alias = a.alias)'
    expect(strayingIn(correlated, distributed)).toHaveLength(1)
  })

  it('lock rows of one project alone', () => {
    const locks: string[] = []
    for (const { text } of stores) {
      for (const { index } of text.matchAll(/for update of|for update`/g)) {
        const statement = text.slice(text.lastIndexOf('select', index), index)
        // On the coordinator: a group of receipts locks the chains of its projects.
        if (statement.includes('from receipt_chains')) continue
        locks.push(statement)
        // The hottest statements are texts, whose first parameter is the project.
        expect(statement).toMatch(/project_id = (\$\{projectId\}|\$1\b)/)
      }
    }
    expect(locks.length).toBeGreaterThan(1)
  })
})
