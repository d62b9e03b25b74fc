import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findPackagedBinaries } from '../../src/db/embedded/binaries.js'
import { EmbeddedError } from '../../src/db/embedded/embedded-error.js'
import { boundLog } from '../../src/db/embedded/server-log.js'
import { makeWorld, query, type World } from '../fixtures/embedded-world.js'

let world: World
/** Made once, because making a cluster is what takes time; every test leaves it whole and closed. */
let settled: string

beforeAll(async () => {
  world = await makeWorld()
  settled = world.newPath()
  await (await world.open({ dataDir: settled })).close()
})
afterEach(async () => world.quieten())
afterAll(async () => world.remove())

const inUse = expect.objectContaining({ name: 'EmbeddedError', code: 'in-use', exitCode: 75 })

describe('a fresh data directory', () => {
  it('gets a PostgreSQL on loopback only that keeps its data from one opening to the next', async () => {
    const dataDir = world.newPath()
    const first = await world.open({ dataDir })
    expect(first).toMatchObject({ adopted: false, owner: true, dataDir })
    expect(first.url).toMatch(/^postgres:\/\/llmring:[\w-]{32}@127\.0\.0\.1:\d+\/llmring$/)
    const settings = `select current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
      current_setting('unix_socket_directories') as sockets, current_setting('server_encoding') as encoding,
      (select datcollate from pg_database where datname = current_database()) as locale`
    expect(await query(first.url, settings)).toEqual([
      { addresses: '127.0.0.1', fsync: 'on', sockets: '', encoding: 'UTF8', locale: 'C' },
    ])
    await query(first.url, 'create table kept (word text)', `insert into kept values ('kept')`)
    await first.close()

    const second = await world.open({ dataDir })
    expect(second).toMatchObject({ adopted: false, owner: true })
    expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'kept' }])
  })

  it('lets nobody in without the password, which only its owner can read', async () => {
    const database = await world.open({ dataDir: settled })
    const stranger = new URL(database.url)
    stranger.password = 'guess'
    await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    const { mode } = await stat(join(database.dataDir, 'postgres', 'password'))
    expect(mode & 0o777).toBe(0o600)
    const cluster = await stat(join(database.dataDir, 'postgres', 'cluster'))
    expect(cluster.mode & 0o777).toBe(0o700)
  })

  it('is made once by two that open it at the same moment, of whom one owns it', async () => {
    const dataDir = world.newPath()
    const openings = await Promise.allSettled([1, 2].map(() => world.open({ dataDir })))
    const rejected = openings.filter((opening) => opening.status === 'rejected')
    expect(rejected.map(({ reason }) => reason)).toEqual([inUse])
    const owner = openings.find((opening) => opening.status === 'fulfilled')?.value
    expect(await query(owner?.url ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('a data directory in use', () => {
  it('is refused to a second service, and lent to a command that leaves it running', async () => {
    const dataDir = settled
    const owner = await world.open({ dataDir })
    await expect(world.open({ dataDir })).rejects.toEqual(inUse)

    const borrower = await world.open({ dataDir, mode: 'borrow' })
    expect(borrower).toMatchObject({ owner: false, adopted: false, url: owner.url })
    await borrower.close()
    expect(await query(owner.url, 'select 1 as one')).toEqual([{ one: 1 }])

    await owner.close()
    await expect(query(owner.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('is owned by a command that finds nothing running, until that command closes it', async () => {
    const dataDir = settled
    const command = await world.open({ dataDir, mode: 'borrow' })
    expect(command).toMatchObject({ owner: true, adopted: false })
    await expect(world.open({ dataDir })).rejects.toEqual(inUse)
    await command.close()
    await command.close()
    await expect(query(command.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('what cannot be run', () => {
  it('is refused with both versions and the way out when another major version made the data', async () => {
    const dataDir = settled
    const versionFile = join(dataDir, 'postgres', 'cluster', 'PG_VERSION')
    const version = await readFile(versionFile, 'utf8')
    await writeFile(versionFile, '14\n')
    const refusal: unknown = await world.open({ dataDir }).catch((error: unknown) => error)
    await writeFile(versionFile, version)
    expect(refusal).toMatchObject({ code: 'wrong-major', exitCode: 1 })
    expect(String(refusal)).toMatch(/PostgreSQL 14,.*PostgreSQL 18,.*llmring-server dump.*llmring-server restore/)
  })

  it('is named with the way out when the platform has no binaries', async () => {
    const refusal: unknown = await findPackagedBinaries('sunos-sparc').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(EmbeddedError)
    expect(refusal).toMatchObject({ code: 'binaries-missing', exitCode: 1 })
    expect(String(refusal)).toContain('LLMRING_DATABASE_URL')
    // A platform that is served, but whose optional dependency is not the one that was installed here.
    const other = process.platform === 'darwin' ? 'linux-x64' : 'darwin-arm64'
    await expect(findPackagedBinaries(other)).rejects.toMatchObject({ code: 'binaries-missing' })
  })

  it('shows the end of the server log when PostgreSQL does not start', async () => {
    const dataDir = settled
    const configuration = join(dataDir, 'postgres', 'cluster', 'postgresql.conf')
    const whole = await readFile(configuration, 'utf8')
    await writeFile(configuration, `${whole}\nwork_mem = nonsense\n`)
    const refusal: unknown = await world.open({ dataDir }).catch((error: unknown) => error)
    await writeFile(configuration, whole)
    expect(refusal).toMatchObject({ code: 'start-failed', exitCode: 1 })
    expect(String(refusal)).toContain('nonsense')
  })
})

describe('the server log', () => {
  it('is kept below its limit with one predecessor, while the server goes on writing', async () => {
    const database = await world.open({ dataDir: settled })
    const log = join(database.dataDir, 'postgres', 'postgres.log')
    await truncate(log, 5_000)
    await boundLog(log, 5_000)
    expect((await stat(log)).size).toBe(5_000)
    await boundLog(log, 4_999)
    expect((await stat(`${log}.1`)).size).toBe(5_000)
    expect((await stat(log)).size).toBeLessThan(5_000)
    await database.close()
    const after = await readFile(log, 'utf8')
    expect(after).toContain('database system is shut down')
    expect(after.startsWith('\0')).toBe(false)
  })
})
