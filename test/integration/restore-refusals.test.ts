import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDump } from '../../src/db/dump/open-dump.js'
import { restoreDump } from '../../src/db/dump/restore.js'
import { type Migration, readMigrations } from '../../src/db/migrate.js'
import { dumpOf, type ForgedFrame, putTogether, restoreInto, takeApart } from '../fixtures/dump-world.js'
import { addRegistryFiles, directTo, fill, fingerprint, until, withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let source: TestDatabase
let target: TestDatabase
let file: Buffer
let frames: ForgedFrame[]
let untouched: Record<string, string>

beforeAll(async () => {
  ;[source, target] = [await cloneDatabase(), await cloneDatabase()]
  await withSql(source.url, fill)
  file = (await dumpOf(source.url)).file
  frames = takeApart(file)
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

function changed(type: string, index: number, change: (text: string) => string): ForgedFrame[] {
  let seen = -1
  return frames.map((frame) => {
    if (frame.type === type) seen += 1
    return frame.type === type && seen === index ? { type, text: change(frame.text) } : frame
  })
}

const withHeader = (members: object) =>
  putTogether(
    changed('H', 0, (text) => JSON.stringify({ ...JSON.parse(text), ...members })),
    true,
  )

describe('a dump that is not whole', () => {
  it('is refused wherever it was cut', async () => {
    for (const share of [0.002, 0.1, 0.35, 0.6, 0.85, 0.99]) {
      await refused(file.subarray(0, Math.floor(file.length * share)), /cut off/)
    }
    await refused(file.subarray(0, -1), /cut off/)
  })

  it('is refused where it was cut between two frames and compressed anew', async () => {
    const places = frames.map(({ type }, index) => (type === 'D' ? index : index + 1)).filter((index) => index > 0)
    for (const index of new Set(places.filter((place) => place < frames.length))) {
      await refused(putTogether(frames.slice(0, index), true), /cut off|not a dump/)
    }
    const bytes = gunzipSync(file)
    await refused(gzipSync(bytes.subarray(0, -7)), /cut off/)
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
    const rows = frames.filter(({ type }) => type === 'D')
    const usage = rows.length - 1
    await refused(
      putTogether(
        changed('D', usage, (text) => text.replace('openai', 'opendi')),
        false,
      ),
      /checksum/,
    )
    await refused(
      putTogether(
        changed('D', usage, (text) => text.slice(text.indexOf('\n') + 1)),
        false,
      ),
      /checksum/,
    )
    const withoutUsage = frames.filter(({ type, text }) => type !== 'D' || text !== rows[usage]?.text)
    await refused(putTogether(withoutUsage, false), /checksum/)
  })

  it('is refused where its end counts other rows than there are', async () => {
    const miscounted = changed('F', 0, (text) => {
      const footer = JSON.parse(text)
      return JSON.stringify({ ...footer, tables: { ...footer.tables, usage_logs: 0 } })
    })
    await refused(putTogether(miscounted, false), /checksum/)
  })

  it('is refused where something follows its end', async () => {
    const end = frames[frames.length - 1]
    await refused(putTogether(end === undefined ? [] : [...frames, end], true), /checksum/)
  })
})

describe('what is not a dump of this program', () => {
  it('is refused: nothing, text, other gzip, frames in another order', async () => {
    const message = /not a dump of llmring-server|cut off/
    await refused(Buffer.alloc(0), message)
    await refused(Buffer.from('create table projects ();\n'.repeat(100)), message)
    await refused(gzipSync('create table projects ();\n'.repeat(100)), message)
    await refused(putTogether([...frames.slice(1), ...frames.slice(0, 1)], true), message)
    await refused(
      putTogether(
        [frames[0], ...frames].filter((frame) => frame !== undefined),
        true,
      ),
      message,
    )
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

  it('is refused where the same version number means another schema', async () => {
    const migrations = [{ name: '0001_other.sql', sha256: 'a'.repeat(64) }]
    await refused(withHeader({ schema_version: 1, migrations }), /0001_other\.sql is not this program's/)
  })

  it('is refused where it names tables or columns that do not exist, or a table twice', async () => {
    const renamed = (members: object) =>
      putTogether(
        changed('T', 0, (text) => JSON.stringify({ ...JSON.parse(text), ...members })),
        true,
      )
    await refused(renamed({ table: 'strangers' }), /'strangers'/)
    await refused(renamed({ table: 'schema_migrations' }), /'schema_migrations'/)
    await refused(renamed({ columns: ['project_id', 'revision', 'last_id', 'stranger'] }), /'alias_heads'/)
    await refused(renamed({ table: 'x"; drop table projects; --' }), /not a dump/)
    const twice = frames.flatMap((frame, index) => (index === 1 ? [frame, frame] : [frame]))
    await refused(putTogether(twice, true), /'alias_heads' twice/)
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
    const usage = frames.filter(({ type }) => type === 'D').length - 1
    const broken = changed('D', usage, (text) => `${text.split('\n')[0]}\n${text}`)
    await refused(putTogether(broken, true), /duplicate key/)
  })

  it('because the database ends its session leaves nothing', async () => {
    const rows = Array.from(
      { length: 400_000 },
      (_, index) => `p/${index}\tx\t\\N\t\\N\t\\\\x00\t2024-01-01\t2024-01-01\n`,
    )
    const at = frames.findIndex(({ type, text }) => type === 'T' && text.includes('registry_files'))
    const large = frames.flatMap((frame, index) =>
      index === at ? [frame, ...[0, 1, 2, 3].map((part) => piece(rows, part))] : [frame],
    )
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

function piece(rows: readonly string[], part: number): ForgedFrame {
  const size = rows.length / 20
  return { type: 'D', text: rows.slice(part * size, (part + 1) * size).join('') }
}
