import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Account, chooseAccount, isRoot } from '../../src/db/embedded/account.js'
import { findPackagedBinaries, prepareBinaries } from '../../src/db/embedded/binaries.js'
import { copyBinaries, type PackagedBinaries } from '../../src/db/embedded/copy-binaries.js'
import { EMBEDDED_LIMITS } from '../../src/db/embedded/limits.js'
import { choosePlace } from '../../src/db/embedded/place.js'
import { lookAtPostmaster } from '../../src/db/embedded/postmaster-pid.js'
import { canEnter, runAs } from '../../src/db/embedded/run-as.js'
import { makeFolderOf, makeWorld, query, type World } from '../fixtures/embedded-world.js'
import { eventually } from '../support/eventually.js'

let world: World
/** Made once as whoever runs the tests, because making a cluster is what takes time; every test leaves it whole. */
let settled: string

beforeAll(async () => {
  world = await makeWorld()
  settled = join(world.newPath(), 'data')
  await mkdir(dirname(settled), { mode: 0o755 })
  await (await world.open({ dataDir: settled })).close()
})
afterEach(async () => world.quieten())
afterAll(async () => world.remove())

const run = promisify(execFile)
const quietly = () => undefined

/** As root the account that Postgres gets, else ourselves. */
const chosen: Account = await chooseAccount()
/** Somebody without rights who is not the one that root's Postgres gets; where we have no rights, ourselves. */
const commoner: Account = isRoot() ? await accountNamed('daemon') : chosen
const commonerRunsNode =
  (await canEnter(commoner, import.meta.dirname)) && (await runAs(commoner, process.execPath, ['--version'])).ok

async function accountNamed(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)))
  if (uid === undefined || gid === undefined || uid === chosen.ids?.uid) throw new Error(`no use for user ${name}`)
  return { name, ids: { uid, gid } }
}

/** The packaged binaries as an installation without install scripts leaves them: no links between libraries. */
async function unlinkedBinaries(dir: string): Promise<{ packaged: PackagedBinaries; links: string[] }> {
  const installed = await findPackagedBinaries()
  await mkdir(dir, { mode: 0o755 })
  await run('cp', ['-a', installed.dir, join(dir, 'native')])
  const listed: { target: string }[] = JSON.parse(await readFile(join(dir, 'native', 'pg-symlinks.json'), 'utf8'))
  const links = listed.map(({ target }) => join(dir, target))
  for (const link of links) await unlink(link)
  return { packaged: { dir: join(dir, 'native'), name: 'postgres-test' }, links }
}

describe.skipIf(!isRoot())('as root', () => {
  it('PostgreSQL runs as a user without rights and without groups, on data that belongs to that user', async () => {
    const database = await world.open({ dataDir: settled })
    const clusterDir = join(database.dataDir, 'postgres', 'cluster')
    const state = await lookAtPostmaster(clusterDir)
    const status = await readFile(`/proc/${state.status === 'live' ? state.pid : 0}/status`, 'utf8')
    expect(status).toMatch(new RegExp(`^Uid:(\\s+${chosen.ids?.uid}){4}$`, 'm'))
    expect(status).toMatch(new RegExp(`^Gid:(\\s+${chosen.ids?.gid}){4}$`, 'm'))
    expect(status).toMatch(/^Groups:\s*$/m)
    expect(await stat(clusterDir)).toMatchObject({ uid: chosen.ids?.uid, gid: chosen.ids?.gid })
  })

  it('data of a directory that only root can enter lives in the state directory, apart for every path, and stays there', async () => {
    const sealed = world.newPath()
    await mkdir(sealed, { mode: 0o700 })
    const here = await world.open({ dataDir: join(sealed, 'here') })
    expect(dirname(here.dataDir)).toBe(world.stateDir)
    expect(await readFile(join(here.dataDir, 'data-directory'), 'utf8')).toBe(`${join(sealed, 'here')}\n`)
    await query(here.url, 'create table only_here (word text)')
    const there = await world.open({ dataDir: join(sealed, 'there') })
    await expect(query(there.url, 'select from only_here')).rejects.toMatchObject({ code: '42P01' })
    await here.close()

    // The way is open now, but the data is where it is.
    await chmod(sealed, 0o755)
    const again = await world.open({ dataDir: join(sealed, 'here') })
    expect(again.dataDir).toBe(here.dataDir)
    expect(await query(again.url, 'select from only_here')).toEqual([])
  })

  it.skipIf(!commonerRunsNode)(
    'data that root moved away is not replaced by an empty database of another user',
    async () => {
      const dataDir = await makeFolderOf(commoner, world.newPath())
      await chmod(dataDir, 0o700)
      // As root would have made it: the folder alone is what another user can see.
      const away = await choosePlace(dataDir, { stateDir: world.stateDir })
      await mkdir(away.clusterDir, { recursive: true })
      const service = world.startService({ dataDir }, commoner)
      await expect(service.opened).rejects.toThrow(away.home)
      expect(await service.exitCode).toBe(1)
    },
  )

  it('data that its user cannot reach any more is not replaced by an empty database', async () => {
    await chmod(dirname(settled), 0o700)
    const refusal: unknown = await world.open({ dataDir: settled }).catch((error: unknown) => error)
    await chmod(dirname(settled), 0o755)
    expect(refusal).toMatchObject({ code: 'start-failed' })
    expect(String(refusal)).toContain('can no longer enter')
  })

  it('a state directory that cannot be made is named', async () => {
    const sealed = world.newPath()
    await mkdir(sealed, { mode: 0o700 })
    await writeFile(join(sealed, 'file'), '')
    const stateDir = join(sealed, 'file', 'state')
    const refusal: unknown = await world.open({ dataDir: join(sealed, 'data'), stateDir }).catch((error) => error)
    expect(refusal).toMatchObject({ code: 'start-failed', exitCode: 1 })
    expect(String(refusal)).toContain(stateDir)
  })

  it('binaries that its user cannot reach are copied once, whole, whoever else copies them at that moment', async () => {
    const sealed = world.newPath()
    const { packaged } = await unlinkedBinaries(sealed)
    await chmod(sealed, 0o700)
    const copiesDir = world.newPath()
    await mkdir(join(copiesDir, 'postgres-test.making-0123456789abcdef'), { recursive: true })
    const longAgo = (Date.now() - EMBEDDED_LIMITS.leftoverMsMin) / 1000 - 1
    await utimes(join(copiesDir, 'postgres-test.making-0123456789abcdef'), longAgo, longAgo)

    const copies = await Promise.all([copyBinaries(packaged, copiesDir), copyBinaries(packaged, copiesDir)])
    expect(copies.map(({ made }) => made).sort()).toEqual([false, true])
    expect(await readdir(copiesDir)).toEqual(['postgres-test'])
    const { mtimeMs } = await stat(join(copiesDir, 'postgres-test'))

    const binaries = await prepareBinaries(packaged, chosen, copiesDir, quietly)
    expect(binaries).toMatchObject({ postgres: join(copiesDir, 'postgres-test', 'bin', 'postgres'), major: '18' })
    expect((await stat(join(copiesDir, 'postgres-test'))).mtimeMs).toBe(mtimeMs)
    const database = await world.open({ dataDir: settled, stateDir: copiesDir, binaries: packaged })
    expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('links between libraries that no install script made', () => {
  it('are made where the package is, if it can be written', async () => {
    const { packaged, links } = await unlinkedBinaries(world.newPath())
    const before = await runAs(chosen, join(packaged.dir, 'bin', 'postgres'), ['--version'])
    expect(before.ok).toBe(false)
    const binaries = await prepareBinaries(packaged, chosen, world.newPath(), quietly)
    expect(binaries.postgres).toBe(join(packaged.dir, 'bin', 'postgres'))
    for (const link of links) await stat(link)
  })

  it('are made again before PostgreSQL is: another installation under a running service leaves none', async () => {
    const { packaged, links } = await unlinkedBinaries(world.newPath())
    const onRestarted = vi.fn()
    const onLost = vi.fn()
    const database = await world.open({ dataDir: settled, binaries: packaged, onRestarted, onLost })
    const state = await lookAtPostmaster(join(database.dataDir, 'postgres', 'cluster'))
    if (state.status !== 'live') throw new Error(`PostgreSQL is ${state.status}`)
    for (const link of links) await unlink(link)
    process.kill(state.pid, 'SIGKILL')
    await eventually(() => expect(onRestarted.mock.calls.length + onLost.mock.calls.length).toBe(1), 30_000)
    expect(onLost).not.toHaveBeenCalled()
    expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe.skipIf(!commonerRunsNode)('as a user without rights', () => {
  it('PostgreSQL runs as that user, from a copy where the package can be neither written nor used as it is', async () => {
    const { packaged } = await unlinkedBinaries(world.newPath())
    // Root's files are closed to others as they are; one's own have to be closed first.
    await run('chmod', ['-R', 'a-w', packaged.dir])
    const dataDir = await makeFolderOf(commoner, world.newPath())
    const service = world.startService({ dataDir, binaries: packaged }, commoner)
    const { url, dataDir: home } = await service.opened
    expect(home).toBe(dataDir)
    expect(await readdir(join(dataDir, 'binaries'))).toEqual(['postgres-test'])
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
    await service.end()
    expect(await service.exitCode).toBe(0)
    expect((await lookAtPostmaster(join(dataDir, 'postgres', 'cluster'))).status).toBe('none')
    await run('chmod', ['-R', 'u+w', packaged.dir])
  })

  it.skipIf(!isRoot())('root runs what that user made, as that user', async () => {
    const dataDir = await makeFolderOf(commoner, world.newPath())
    const first = world.startService({ dataDir }, commoner)
    await query((await first.opened).url, 'create table kept (word text)')
    await first.end()
    const asRoot = await world.open({ dataDir })
    expect(await query(asRoot.url, 'select from kept')).toEqual([])
    const pidFile = await stat(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'))
    expect(pidFile.uid).toBe(commoner.ids?.uid)
    await asRoot.close()
  })
})
