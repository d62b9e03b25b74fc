import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDump } from '../../src/db/dump/open-dump.js'
import { restoreDump } from '../../src/db/dump/restore.js'
import { type Migration, readMigrations } from '../../src/db/migrate.js'
import { dumpOf, type ForgedPart, putTogether, restoreInto, takeApart } from '../fixtures/dump-world.js'
import { addRegistryFiles, directTo, fill, fingerprint, until, withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let source: TestDatabase
let target: TestDatabase
let file: Buffer
let parts: ForgedPart[]
let untouched: Record<string, string>

beforeAll(async () => {
  ;[source, target] = [await cloneDatabase(), await cloneDatabase()]
  await withSql(source.url, fill)
  file = (await dumpOf(source.url)).file
  parts = takeApart(file)
  untouched = await withSql(target.url, fingerprint)
})
afterAll(async () => {
  await source.drop()
  await target.drop()
})

/** Restores and expects a refusal that leaves the target as it was. */
async function refused(forged: Buffer, message: RegExp, known?: readonly Migration[]): Promise<void> {
  await expect(restoreInto(target.url, forged, known)).rejects.toThrow(message)
  expect(await withSql(target.url, fingerprint)).toEqual(untouched)
}

function changed(type: ForgedPart['type'], index: number, change: (text: string) => string): ForgedPart[] {
  let seen = -1
  return parts.map((part) => {
    if (part.type === type) seen += 1
    return part.type === type && seen === index ? { type, text: change(part.text) } : part
  })
}

const withMembers = (members: object) => (text: string) => `${JSON.stringify({ ...JSON.parse(text), ...members })}\n`

const withHeader = (members: object) => putTogether(changed('header', 0, withMembers(members)), true)

const tables = () => parts.filter(({ type }) => type === 'table')
const rowsOf = (index: number) => parts.filter(({ type }) => type === 'rows')[index]
const tableAt = (name: string) => tables().findIndex(({ text }) => text.startsWith(`{"table":"${name}"`))

describe('a dump that is not whole', () => {
  it('is refused wherever it was cut', async () => {
    for (const share of [0.002, 0.1, 0.35, 0.6, 0.85, 0.99]) {
      await refused(file.subarray(0, Math.floor(file.length * share)), /cut off/)
    }
    await refused(file.subarray(0, -1), /cut off/)
  })

  it('is refused where it was cut between two lines and compressed anew', async () => {
    const lines = gunzipSync(file)
      .toString('utf8')
      .split(/(?<=\n)/)
    const tableEnds = lines.flatMap((line, index) => (line === '\\.\n' ? [index, index + 1] : []))
    const cuts = [1, 2, ...tableEnds.slice(0, 3), lines.length - 8, lines.length - 2, lines.length - 1]
    for (const count of cuts) await refused(gzipSync(lines.slice(0, count).join('')), /cut off/)
    await refused(gzipSync(lines.join('').slice(0, -7)), /cut off/)
  })

  it('is refused where a byte was changed', async () => {
    for (const share of [0.2, 0.5, 0.8]) {
      const damaged = Buffer.from(file)
      const at = Math.floor(file.length * share)
      damaged[at] = (damaged[at] ?? 0) ^ 0x10
      await expect(restoreInto(target.url, damaged)).rejects.toThrow()
      expect(await withSql(target.url, fingerprint)).toEqual(untouched)
    }
  })

  it('is refused where a value was changed into one that fits, rows are missing, or a table is', async () => {
    const usage = tableAt('usage_logs')
    const forgeries = [
      changed('rows', usage, (text) => text.replace('openai', 'opendi')),
      changed('rows', usage, (text) => text.slice(text.indexOf('\n') + 1)),
      changed('rows', usage, () => '\\.\n'),
      parts.filter((part) => part !== tables()[usage] && part !== rowsOf(usage)),
    ]
    for (const forged of forgeries) await refused(putTogether(forged, false), /checksum/)
  })

  it('is refused where its end counts other rows than there are', async () => {
    const miscounted = changed('footer', 0, (text) => {
      const counts = JSON.parse(text).row_counts
      return withMembers({ row_counts: { ...counts, usage_logs: 0 } })(text)
    })
    await refused(putTogether(miscounted, false), /checksum/)
  })

  it('is refused where something follows its end', async () => {
    await refused(putTogether([...parts, ...parts.slice(-1)], true), /checksum/)
    await refused(gzipSync(Buffer.concat([gunzipSync(file), Buffer.from('\n')])), /checksum/)
  })
})

describe('what is not a dump of this program', () => {
  it('is refused: nothing, text, other gzip, a line that never ends, parts in another order', async () => {
    const message = /not a dump of llmring-server|cut off/
    await refused(Buffer.alloc(0), message)
    await refused(Buffer.from('create table projects ();\n'.repeat(100)), message)
    await refused(gzipSync('create table projects ();\n'.repeat(100)), message)
    await refused(gzipSync('{"format":"llmring-server dump","format_version":1'.padEnd(4_000_000)), /not a dump/)
    await refused(putTogether([...parts.slice(1), ...parts.slice(0, 1)], true), message)
    await refused(putTogether([...parts.slice(0, 1), ...parts], true), message)
  })

  it('is refused with the version that can read it where the format or the schema is newer', async () => {
    const newer = { format_version: 2, service_version: '9.8.7' }
    await refused(withHeader(newer), /format 2.*format 1.*llmring-server 9\.8\.7/)
    const [first] = await readMigrations()
    const migrations = [
      { name: first?.name, sha256: first?.sha256 },
      { name: '0002_x.sql', sha256: 'a'.repeat(64) },
    ]
    const schema = { schema_version: 2, migrations, service_version: '9.8.7' }
    await refused(
      withHeader(schema),
      /schema version 2.*this program \(1\).*llmring-server 9\.8\.7/,
      first ? [first] : [],
    )
  })

  it('is refused where it names more months than a table has, before a partition is made for any', async () => {
    const months = Array.from({ length: 1_201 }, (_, index) => new Date(Date.UTC(2000, index)).toISOString())
    await refused(withHeader({ partition_times: { usage_logs: months } }), /not a dump/)
  })

  it('is refused where the same version number means another schema', async () => {
    const migrations = [{ name: '0001_other.sql', sha256: 'a'.repeat(64) }]
    await refused(withHeader({ schema_version: 1, migrations }), /0001_other\.sql is not this program's/)
  })

  it('is refused where it names tables or columns that do not exist, or a table twice', async () => {
    const renamed = (members: object) => putTogether(changed('table', 0, withMembers(members)), true)
    await refused(renamed({ table: 'strangers' }), /'strangers'/)
    await refused(renamed({ table: 'schema_migrations' }), /'schema_migrations'/)
    await refused(renamed({ columns: ['project_id', 'revision', 'last_id', 'stranger'] }), /'alias_heads'/)
    await refused(renamed({ table: 'x"; drop table projects; --' }), /not a dump/)
    await refused(putTogether([...parts.slice(0, 3), ...parts.slice(1)], true), /'alias_heads' twice/)
  })
})

describe('a restore that fails', () => {
  it('because the database has rows says where, and leaves them alone', async () => {
    const filled = await cloneDatabase()
    await withSql(filled.url, (sql) => addRegistryFiles(sql, 1, 10))
    const before = await withSql(filled.url, fingerprint)
    await expect(restoreInto(filled.url, file)).rejects.toThrow('not empty: there are rows in registry_files.')
    expect(await withSql(filled.url, fingerprint)).toEqual(before)
    await filled.drop()
  })

  it('because rows came while it waited for its locks leaves them alone', async () => {
    const raced = await cloneDatabase()
    const outcome = await withSql(raced.url, async (sql) => {
      let restoring: Promise<unknown> | undefined
      await sql.begin(async (tx) => {
        await tx`insert into registry_files values ('late', 'x', null, null, '', now(), now())`
        restoring = restoreInto(raced.url, file).catch((error: unknown) => error)
        await until(async () => {
          const blocked = await sql`select 1 from pg_stat_activity where datname = current_database()
            and application_name = 'llmring-server restore' and wait_event_type = 'Lock'`
          return blocked.length > 0
        })
      })
      return restoring
    })
    expect(outcome).toMatchObject({ message: expect.stringContaining('there are rows in registry_files') })
    await raced.drop()
  })

  it('because its last rows break a rule leaves no row of the tables before', async () => {
    const broken = changed('rows', tableAt('usage_logs'), (text) => `${text.split('\n')[0]}\n${text}`)
    await refused(putTogether(broken, true), /duplicate key/)
  })

  it('because the database ends its session leaves nothing', async () => {
    const rows = Array.from(
      { length: 80_000 },
      (_, index) => `p/${index}\tx\t\\N\t\\N\t\\\\x00\t2024-01-01\t2024-01-01\n`,
    )
    const large = changed('rows', tableAt('registry_files'), (text) => rows.join('') + text)
    const migrations = await readMigrations()
    const forged = putTogether(large, true)
    const dump = await openDump(Readable.from([forged], { objectMode: false }), migrations)
    let killed: Promise<unknown> | undefined
    const kill = () =>
      withSql(
        target.url,
        (sql) => sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'llmring-server restore'`,
      )
    const onProgress = ({ table }: { table: string }) => {
      if (table === 'registry_files') killed ??= kill()
    }
    const restoring = restoreDump({ direct: directTo(target.url), migrations, onProgress }, dump)
    await expect(restoring).rejects.toMatchObject({
      code: expect.stringMatching(/57P01|CONNECTION_CLOSED|EPIPE|ECONNRESET/),
    })
    await killed
    await until(async () => {
      const left = await withSql(
        target.url,
        (sql) => sql`select 1 from pg_locks where mode = 'ExclusiveLock' and relation = 'projects'::regclass`,
      )
      return left.length === 0
    })
    expect(await withSql(target.url, fingerprint)).toEqual(untouched)
  })

  it('can be repeated, and then succeeds', async () => {
    await restoreInto(target.url, file)
    expect(await withSql(target.url, fingerprint)).toEqual(await withSql(source.url, fingerprint))
  })
})
