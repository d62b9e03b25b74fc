import { createHash } from 'node:crypto'
import { PassThrough, Writable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../../src/db/client.js'
import { writeDump } from '../../src/db/dump/dump.js'
import { createLineReader } from '../../src/db/dump/lines.js'
import { inLongTransaction } from '../../src/db/dump/long-transaction.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { dumpOf, restoreInto } from '../fixtures/dump-world.js'
import { addRegistryFiles, directTo, fill, fingerprint, PROJECT, until, withSql } from '../fixtures/filled-database.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

const clones: TestDatabase[] = []
async function clone(): Promise<string> {
  const database = await cloneDatabase()
  clones.push(database)
  return database.url
}

/** The dump's session has sent more than anybody has taken. */
const serverWaits = (url: string) =>
  withSql(url, async (sql) => {
    const waiting = await sql`select 1 from pg_stat_activity where datname = current_database()
      and application_name = 'llmring-server dump' and wait_event = 'ClientWrite'`
    return waiting.length > 0
  })

let source: string
beforeAll(async () => {
  source = await clone()
  await withSql(source, fill)
})
afterEach(async () => {
  for (const { drop } of clones.splice(1)) await drop()
})
afterAll(async () => {
  for (const { drop } of clones) await drop()
})

describe('a dump that is restored', () => {
  it('gives every table the same rows, whatever is in them, and months that had no partition', async () => {
    const target = await clone()
    const dumped = await dumpOf(source)
    const restored = await restoreInto(target, dumped.file)
    expect(restored).toEqual(dumped.summary)
    expect(restored.bytes).toBe(dumped.file.length)
    expect(restored.tables).toMatchObject({ projects: 1, aliases: 7, usage_logs: 100, registry_files: 3 })
    const before = await withSql(source, fingerprint)
    expect(await withSql(target, fingerprint)).toEqual(before)
    expect(Object.keys(restored.tables).sort()).toEqual(Object.keys(before).sort())
  })

  it('sends no webhook what had waited when the dump was made, and keeps the webhook', async () => {
    const [from, to] = [await clone(), await clone()]
    await withSql(from, async (sql) => {
      await sql`insert into webhooks (project_id, url, secret, secret_key_id, edition, created_at, due_at, failures, slow)
        values (${PROJECT}, 'https://hooks.llmring.invalid/', '\\x00', 'none', 1, now(), now(), 0, false)`
      await sql`insert into webhook_deliveries (project_id, place, id, body, attempts, created_at)
        values (${PROJECT}, 1, 'msg_1', '{}', 0, now())`
    })
    await restoreInto(to, (await dumpOf(from)).file)
    const [left] = await withSql(
      to,
      (sql) => sql`
      select (select count(*) from webhooks)::int as webhooks, (select count(*) from webhook_deliveries)::int as waiting`,
    )
    expect(left).toEqual({ webhooks: 1, waiting: 0 })
  })

  it('puts what is logged next behind what was pending', async () => {
    const [from, to] = [await clone(), await clone()]
    const append = (sql: Sql) => sql<{ id: number }[]>`
      insert into log_pending (entry, pending_since) values (decode(repeat('ab', 32), 'hex'), now()) returning id::int`
    await withSql(from, (sql) => append(sql))
    await withSql(from, (sql) => append(sql))
    await restoreInto(to, (await dumpOf(from)).file)
    expect(await withSql(to, async (sql) => (await append(sql))[0])).toEqual({ id: 3 })
  })

  it('brings a database that was never migrated to the newest version first', async () => {
    const target = await clone()
    await withSql(target, (sql) => sql`drop schema llmring cascade`)
    await restoreInto(target, (await dumpOf(source)).file)
    expect(await withSql(target, fingerprint)).toEqual(await withSql(source, fingerprint))
  })

  it('of an older version is restored at that version and migrated afterwards', async () => {
    const migrations = await readMigrations()
    const text = `alter table projects add column added text default 'by the later migration'`
    const version = migrations.length + 1
    const later = { version, name: `${String(version).padStart(4, '0')}_later.sql`, sha256: 'f'.repeat(64), text }
    const target = await clone()
    await withSql(target, (sql) => sql`drop schema llmring cascade`)
    await restoreInto(target, (await dumpOf(source)).file, [...migrations, later])
    const rows = await withSql(target, (sql) => sql`select added from projects`)
    expect([...rows]).toEqual([{ added: 'by the later migration' }])

    const past = await clone()
    await withSql(past, (sql) => migrate(sql, 'llmring', [...migrations, later]))
    const refused = restoreInto(past, (await dumpOf(source)).file, [...migrations, later])
    await expect(refused).rejects.toThrow(`at version ${version}, past the dump's version ${version - 1}`)
  })
})

describe('a dump', () => {
  it('holds a table that nobody named, and no partition that is not attached', async () => {
    const [from, to] = [await clone(), await clone()]
    for (const url of [from, to]) {
      await withSql(url, async (sql) => {
        await sql`create table later_things (word text, doubled text generated always as (word || word) stored)`
        await sql`create table usage_logs_2001_01 (like usage_logs)`
      })
    }
    await withSql(from, (sql) => sql`insert into later_things values ('new')`)
    const { file, summary } = await dumpOf(from)
    expect(Object.keys(summary.tables)).toContain('later_things')
    expect(Object.keys(summary.tables).filter((name) => /schema_migrations|usage_logs_/.test(name))).toEqual([])
    await restoreInto(to, file)
    const rows = await withSql(to, (sql) => sql`select word, doubled from later_things`)
    expect([...rows]).toEqual([{ word: 'new', doubled: 'newnew' }])
  })

  it('needs to know of one sequence, whose value it does not carry, and of no order between tables', async () => {
    const found = await withSql(
      source,
      (sql) => sql`
        select relname as name from pg_class where relnamespace = 'llmring'::regnamespace and relkind = 'S'
        union all
        select conname from pg_constraint where connamespace = 'llmring'::regnamespace and contype = 'f' and confrelid <> conrelid`,
    )
    expect([...found]).toEqual([{ name: 'log_pending_id_seq' }])
  })

  it('of a database that was never migrated is refused, and migrates nothing', async () => {
    const empty = await clone()
    await withSql(empty, (sql) => sql`drop schema llmring cascade`)
    await expect(dumpOf(empty)).rejects.toThrow("schema 'llmring' was never migrated")
    const schemas = await withSql(empty, (sql) => sql`select 1 from pg_namespace where nspname = 'llmring'`)
    expect(schemas.length).toBe(0)
  })
})

describe('while a dump is read slowly', () => {
  it('the server waits for the reader, and what is committed meanwhile is in none of the tables', async () => {
    const url = await clone()
    await withSql(url, async (sql) => {
      await fill(sql)
      await addRegistryFiles(sql, 48, 500_000)
    })
    const output = new PassThrough({ highWaterMark: 1 })
    let readAhead = 0
    const onProgress = ({ table, bytes }: { table: string; bytes: number }) => {
      if (table === 'registry_files') readAhead = bytes
    }
    const dumping = writeDump({ direct: directTo(url), serviceVersion: '1.0.0', onProgress }, output)
    await withSql(url, async (sql) => {
      await until(() => serverWaits(url))
      await sql`insert into usage_logs select (jsonb_populate_record(usage_logs, jsonb_build_object('id', gen_random_uuid()))).* from usage_logs`
      await sql`update projects set name = 'changed'`
      await sql`delete from registry_files`
    })
    const chunks: Buffer[] = []
    output.on('data', (chunk: Buffer) => chunks.push(chunk))
    // 48 MB of COPY text are in the table: next to nothing of it was taken while nobody read.
    expect(readAhead).toBeLessThan(8_000_000)
    expect((await dumping).tables).toMatchObject({ projects: 1, usage_logs: 100, registry_files: 51 })
    const target = await clone()
    await restoreInto(target, Buffer.concat(chunks), undefined, 65_536)
    const rows = await withSql(target, (sql) => sql`select name from projects`)
    expect([...rows]).toEqual([{ name: 'Ünïcode\n\\.' }])
  })

  it('no limit of other connections ends it', async () => {
    const rows = await inLongTransaction(
      directTo(source),
      'test',
      '',
      ({ sql }) => sql`select name, setting from pg_settings
        where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout') and setting <> '0'`,
    )
    expect([...rows]).toEqual([])
  })
})

describe('a dump that breaks off', () => {
  const sessions = (url: string) =>
    withSql(url, async (sql) => {
      const rows =
        await sql`select 1 from pg_stat_activity where datname = current_database() and application_name = 'llmring-server dump'`
      return rows.length
    })

  it('because its output fails leaves no session behind that waits for a reader', async () => {
    const url = await clone()
    await withSql(url, (sql) => addRegistryFiles(sql, 24, 500_000))
    const full = new Writable({
      // Only once the server is in the middle of a table and waits for its reader.
      write: (_chunk, _encoding, done) => {
        void until(() => serverWaits(url)).then(() => done(new Error('no space left')))
      },
    })
    const dumping = writeDump({ direct: directTo(url), serviceVersion: '1.0.0' }, full)
    await expect(dumping).rejects.toThrow('no space left')
    await until(async () => (await sessions(url)) === 0)
    // Ended, and not read to its end for nothing.
    await until(async () => {
      const [row] = await withSql(
        url,
        (sql) => sql`select sessions_fatal::integer as broken from pg_stat_database where datname = current_database()`,
      )
      return row?.['broken'] === 1
    })
  })

  it('because it is interrupted leaves no session behind either', async () => {
    const url = await clone()
    await withSql(url, (sql) => addRegistryFiles(sql, 24, 500_000))
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    await expect(dumpOf(url, { signal: controller.signal, onProgress })).rejects.toThrow('aborted')
    await until(async () => (await sessions(url)) === 0)
  })

  it('because the database ends its session is an error, not a shorter dump', async () => {
    const url = await clone()
    await withSql(url, (sql) => addRegistryFiles(sql, 24, 500_000))
    let killed: Promise<unknown> | undefined
    const onProgress = ({ table }: { table: string }) => {
      if (table !== 'registry_files') return
      killed ??= withSql(
        url,
        (
          sql,
        ) => sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'llmring-server dump'
          and datname = current_database()`,
      )
    }
    await expect(dumpOf(url, { onProgress })).rejects.toMatchObject({
      code: expect.stringMatching(/57P01|CONNECTION_CLOSED/),
    })
    await killed
  })
})

describe('the file of a dump', () => {
  it('is lines that a person can read: a header, each table with its columns and its rows', async () => {
    const lines = gunzipSync((await dumpOf(source)).file)
      .toString('utf8')
      .split('\n')
    expect(lines.pop()).toBe('')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      format: 'llmring-server dump',
      format_version: 1,
      service_version: '1.0.0',
      schema_version: (await readMigrations()).length,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      partition_times: { usage_logs: ['2019-02-01T00:00:00.000Z', '2041-12-01T00:00:00.000Z'] },
    })
    const heads = lines.findIndex((line) => line.startsWith('{"table":"alias_heads"'))
    const { columns } = JSON.parse(lines[heads] ?? '')
    expect(columns.slice(0, 3)).toEqual(['project_id', 'revision', 'last_id'])
    const values = lines[heads + 1]?.split('\t')
    expect(values).toHaveLength(columns.length)
    expect(values?.slice(0, 3)).toEqual([PROJECT, '9007199254740993', '7'])
    expect(lines[heads + 2]).toBe('\\.')
    expect(lines.filter((line) => line === '\\.')).toHaveLength(lines.filter((line) => /^\{"table":/.test(line)).length)
  })

  it('ends with the SHA-256 of all lines before, as `head -n -1 | sha256sum` gives it', async () => {
    const text = gunzipSync((await dumpOf(source)).file).toString('utf8')
    const lastAt = text.lastIndexOf('\n', text.length - 2) + 1
    expect(JSON.parse(text.slice(lastAt))).toMatchObject({
      complete: true,
      row_counts: { projects: 1, aliases: 7, usage_logs: 100, registry_files: 3 },
      sha256: createHash('sha256').update(text.slice(0, lastAt)).digest('hex'),
    })
  })

  it('may be read in pieces of any size, with the end of a table anywhere in them', async () => {
    const piecesOf = async (bytes: Buffer, size: number) => {
      async function* source() {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      }
      const reader = createLineReader(source())
      const read: string[] = [`${await reader.line()}`]
      for (let table = 0; table < 3; table++) {
        let rows = ''
        for await (const piece of reader.rows()) rows += piece
        read.push(rows, `${await reader.line()}`)
      }
      return [...read, reader.digestBeforeLine(), await reader.line()]
    }
    const before = 'one\n\\.\ntwo\na\\\\.\n\\\\.\n\n\\N\n\\.\nthree\nb\n\\.\n'
    const bytes = Buffer.from(`${before}last\n`)
    const digest = createHash('sha256').update(before).digest('hex')
    const expected = ['one', '', 'two', 'a\\\\.\n\\\\.\n\n\\N\n', 'three', 'b\n', 'last', digest, undefined]
    for (let size = 1; size <= bytes.length; size++) expect(await piecesOf(bytes, size), `${size}`).toEqual(expected)
  })
})
