import { execFile, spawn } from 'node:child_process'
import { chown, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connectPostgres } from '../../src/db/driver/postgres.js'
import { chooseAccount, spawnIdentity } from '../../src/db/embedded/account.js'
import { acquire } from '../../src/db/embedded/acquire.js'
import { findPackagedBinaries, prepareBinaries } from '../../src/db/embedded/binaries.js'
import type { Cluster } from '../../src/db/embedded/cluster.js'
import { readPassword } from '../../src/db/embedded/cluster.js'
import { EMBEDDED_LIMITS } from '../../src/db/embedded/limits.js'
import { choosePlace } from '../../src/db/embedded/place.js'
import { freePort } from '../../src/db/embedded/postmaster.js'
import { lookAtPostmaster } from '../../src/db/embedded/postmaster-pid.js'
import { sizeOfLog } from '../../src/db/embedded/server-log.js'
import { makeWorld, query, type World } from '../fixtures/embedded-world.js'
import { eventually } from '../support/eventually.js'

let world: World
/** Made once, because making a cluster is what takes time; every test leaves it whole. */
let settled: string

beforeAll(async () => {
  world = await makeWorld()
  settled = world.newPath()
  const database = await world.open({ dataDir: settled })
  await query(database.url, 'create table kept (word text)')
  await database.close()
})
afterEach(async () => world.quieten())
afterAll(async () => world.remove())

const clusterOf = (dataDir: string) => join(dataDir, 'postgres', 'cluster')

/** The process that `postmaster.pid` truthfully names. */
async function postmasterOf(dataDir: string): Promise<number> {
  const state = await lookAtPostmaster(clusterOf(dataDir))
  if (state.status !== 'live') throw new Error(`PostgreSQL is ${state.status}`)
  return state.pid
}

/** Opens the data directory and offers to kill its Postgres and to wait until it is back. */
async function openKillable(dataDir: string) {
  const onRestarted = vi.fn()
  const database = await world.open({ dataDir, onRestarted })
  const killPostgres = async () => {
    const before = onRestarted.mock.calls.length
    process.kill(await postmasterOf(dataDir), 'SIGKILL')
    await vi.waitFor(() => expect(onRestarted).toHaveBeenCalledTimes(before + 1), { timeout: 20_000, interval: 20 })
  }
  return { database, killPostgres }
}

describe('a service that is killed', () => {
  it('leaves a PostgreSQL that the next one adopts with everything committed, and brings back when that dies', async () => {
    const service = world.startService({ dataDir: settled })
    const left = await service.opened
    await query(left.url, `insert into kept values ('before the kill')`)
    const orphan = await postmasterOf(settled)
    await service.kill('SIGKILL')

    const { database, killPostgres } = await openKillable(settled)
    expect(database).toMatchObject({ adopted: true, owner: true, url: left.url })
    expect(await postmasterOf(settled)).toBe(orphan)
    expect(await query(database.url, `select from kept where word = 'before the kill'`)).toHaveLength(1)

    await killPostgres()
    expect(await query(database.url, `select from kept where word = 'before the kill'`)).toHaveLength(1)
    await database.close()
    expect(await lookAtPostmaster(clusterOf(settled))).toEqual({ status: 'none' })
  })

  it('by a Ctrl-C in its terminal does not take PostgreSQL with it', async () => {
    const service = world.startService({ dataDir: settled })
    const { url } = await service.opened
    await service.kill('SIGINT')
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('while the cluster is made leaves nothing in the way, and its half-made one is removed once it is old', async () => {
    const dataDir = world.newPath()
    const service = world.startService({ dataDir })
    const halfMade = await vi.waitFor(
      async () => {
        const name = (await readdir(dataDir)).find((entry) => entry.startsWith('postgres.making-'))
        if (name === undefined) throw new Error('initdb has not begun')
        await stat(join(dataDir, name, 'cluster', 'PG_VERSION'))
        return join(dataDir, name)
      },
      { timeout: 20_000, interval: 5 },
    )
    await service.kill('SIGKILL')
    expect(await readdir(dataDir)).not.toContain('postgres')

    const first = await world.open({ dataDir })
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await first.close()
    // Too young to be told from one that is still being made.
    await stat(halfMade)
    const longAgo = (Date.now() - EMBEDDED_LIMITS.leftoverMsMin) / 1000 - 1
    await utimes(halfMade, longAgo, longAgo)
    await world.open({ dataDir })
    await expect(stat(halfMade)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a PostgreSQL that is killed', () => {
  it('is back on the same port with everything committed, owned by the same service, again and again', async () => {
    const { database, killPostgres } = await openKillable(settled)
    for (const word of ['first', 'second']) {
      await query(database.url, `insert into kept values ('${word}')`)
      await killPostgres()
      expect(await query(database.url, `select from kept where word = '${word}'`)).toHaveLength(1)
      await expect(world.open({ dataDir: settled })).rejects.toMatchObject({ code: 'in-use' })
    }
  })

  it('stays down when its service is closed at that moment', async () => {
    const { database } = await openKillable(settled)
    process.kill(await postmasterOf(settled), 'SIGKILL')
    await database.close()
    expect((await lookAtPostmaster(clusterOf(settled))).status).not.toBe('live')
    // The killed server's processes hold its socket for a moment: until they are gone, a connection is reset.
    await eventually(() => expect(query(database.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' }))
  })

  it('is still owned by its service after somebody ended only the session that holds the lock', async () => {
    const onRestarted = vi.fn()
    const database = await world.open({ dataDir: settled, onRestarted })
    const before = await postmasterOf(settled)
    await query(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'llmring-server owner'`,
    )
    await vi.waitFor(() => expect(onRestarted).toHaveBeenCalledOnce(), { timeout: 20_000, interval: 20 })
    expect(await postmasterOf(settled)).toBe(before)
    await expect(world.open({ dataDir: settled })).rejects.toMatchObject({ code: 'in-use' })
  })
})

describe('a service that is closed', () => {
  it('owns its PostgreSQL until that is gone', async () => {
    const database = await world.open({ dataDir: settled })
    const postmaster = await postmasterOf(settled)
    const watcher = connectPostgres(database.url, { max: 1, answer_timeout: 30, connect_timeout: 5 })
    const owners = () => watcher`select from pg_locks where locktype = 'advisory' and granted`
    const kill = vi.spyOn(process, 'kill')
    try {
      expect(await owners()).toHaveLength(1)
      // It takes no signal and ends no session until it goes on: the moment of the stop lasts as long as the test looks.
      process.kill(postmaster, 'SIGSTOP')
      const closed = vi.fn()
      const closing = database.close().then(closed)
      await vi.waitFor(() => expect(kill).toHaveBeenCalledWith(postmaster, 'SIGINT'), { timeout: 20_000, interval: 5 })
      expect(await owners()).toHaveLength(1)
      expect(closed).not.toHaveBeenCalled()
      process.kill(postmaster, 'SIGCONT')
      await closing
      expect((await lookAtPostmaster(clusterOf(settled))).status).not.toBe('live')
    } finally {
      kill.mockRestore()
      await watcher.end({ timeout: 0 })
    }
  })
})

describe('the restart of a PostgreSQL', () => {
  const prepare = async (): Promise<Cluster> => {
    const place = await choosePlace(settled, { stateDir: world.stateDir })
    const binaries = await prepareBinaries(await findPackagedBinaries(), place.account, world.stateDir, () => undefined)
    return { place, binaries, password: await readPassword(place) }
  }

  it('brings it to the port that its clients know when somebody started it on another one meanwhile', async () => {
    const service = world.startService({ dataDir: settled })
    const { url } = await service.opened
    await service.kill('SIGKILL')
    const known = await freePort()
    const held = await acquire(await prepare(), { port: known, lockWaitMsMax: 0, spawnAttemptsMax: 3 })
    expect(held).toMatchObject({ port: known, spawned: true })
    expect(await query(url.replace(/:\d+\//, `:${known}/`), 'select 1 as one')).toEqual([{ one: 1 }])
    await expect(query(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await held.ownership?.release()
  })

  it('starts nothing any more once it was called off', async () => {
    const cluster = await prepare()
    const logged = await sizeOfLog(cluster.place.logFile)
    const terms = { port: undefined, lockWaitMsMax: 0, spawnAttemptsMax: 3, signal: AbortSignal.abort() }
    await expect(acquire(cluster, terms)).rejects.toMatchObject({ code: 'start-failed' })
    expect(await sizeOfLog(cluster.place.logFile)).toBe(logged)
    expect(await lookAtPostmaster(clusterOf(settled))).toEqual({ status: 'none' })
  })
})

describe('two services started at the same moment on a directory that does not exist', () => {
  it('end with one that runs and one that exits with code 75', async () => {
    const dataDir = world.newPath()
    const services = [world.startService({ dataDir }), world.startService({ dataDir })]
    const outcomes = await Promise.all(
      services.map(({ opened, exitCode }) =>
        opened.then(
          () => 'runs',
          () => exitCode,
        ),
      ),
    )
    expect(outcomes.sort()).toEqual([75, 'runs'])
  })
})

describe('a postmaster.pid that is not true', () => {
  const write = async (text: string) => {
    const file = join(clusterOf(settled), 'postmaster.pid')
    const { uid, gid } = await stat(clusterOf(settled))
    await writeFile(file, text, { mode: 0o600 })
    await chown(file, uid, gid)
  }
  const claiming = (pid: number) => `${pid}\n${clusterOf(settled)}\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`

  it('does not keep the database down when its process id belongs to another program by now', async () => {
    const bystander = spawn('/bin/sleep', ['600'], { ...spawnIdentity(await chooseAccount()), stdio: 'ignore' })
    try {
      await write(claiming(bystander.pid ?? 0))
      const database = await world.open({ dataDir: settled })
      expect(database.adopted).toBe(false)
      expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
    } finally {
      bystander.kill('SIGKILL')
    }
  })

  it('does not keep the database down when a crash left it empty', async () => {
    await write('')
    const database = await world.open({ dataDir: settled })
    expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('does not lead a copied data directory to the data of the original, which is running', async () => {
    const original = await world.open({ dataDir: settled })
    await query(original.url, 'checkpoint')
    const dataDir = world.newPath()
    await promisify(execFile)('cp', ['-a', settled, dataDir])
    const copy = await world.open({ dataDir })
    expect(copy.adopted).toBe(false)
    await query(copy.url, 'create table only_in_the_copy (word text)')
    await expect(query(original.url, 'select from only_in_the_copy')).rejects.toMatchObject({ code: '42P01' })
  })
})
