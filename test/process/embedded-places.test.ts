import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isRoot } from '../../src/db/embedded/account.js'
import { idFromPath } from '../../src/db/embedded/away.js'
import { EmbeddedError } from '../../src/db/embedded/embedded-error.js'
import { makeWorld, query, type World } from '../fixtures/embedded-world.js'

const run = promisify(execFile)
let world: World

beforeAll(async () => {
  world = await makeWorld()
})
afterEach(async () => world.quieten())
afterAll(async () => world.remove())

const pointerOf = (dataDir: string) => readFile(join(dataDir, 'database-id'), 'utf8')

/** The refusal of a data directory whose database is missing. */
async function refusal(options: { dataDir: string; witness?: string; stateDir?: string }): Promise<string> {
  const error: unknown = await world.open(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(EmbeddedError)
  expect(error).toMatchObject({ code: 'data-missing', exitCode: 78 })
  return String(error)
}

describe('a data directory whose database is gone', () => {
  it('is refused, whatever shows that there was one, until it is filled from a backup', async () => {
    const dataDir = world.newPath()
    const witness = join(dataDir, 'receipts-key')
    await (await world.open({ dataDir, witness })).close()
    await writeFile(witness, 'a key')
    const id = await pointerOf(dataDir)
    expect(id).toMatch(/^[0-9a-f]{32}\n$/)
    await rm(join(dataDir, 'postgres'), { recursive: true })
    expect(await refusal({ dataDir, witness })).toMatch(/database-id is there.*restore/s)
    await rm(join(dataDir, 'database-id'))
    expect(await refusal({ dataDir, witness })).toContain(`${witness} is there`)
    expect(await readdir(dataDir)).toEqual(['receipts-key'])

    const refilled = await world.open({ dataDir, witness, mode: 'refill' })
    await refilled.close()
    const again = await world.open({ dataDir, witness })
    expect(again.dataDir).toBe(dataDir)
    expect(await pointerOf(dataDir)).not.toBe(id)
  })

  it('is no such thing where a crash came before the database was made', async () => {
    const dataDir = world.newPath()
    await mkdir(dataDir, { mode: 0o755 })
    await writeFile(join(dataDir, 'database-id'), `${'ab'.repeat(16)} new\n`)
    await world.open({ dataDir })
    expect(await pointerOf(dataDir)).toBe(`${'ab'.repeat(16)}\n`)
  })

  it('is refused where its pointer is damaged', async () => {
    const dataDir = world.newPath()
    await mkdir(dataDir, { mode: 0o755 })
    await writeFile(join(dataDir, 'database-id'), 'x\n')
    await expect(world.open({ dataDir })).rejects.toMatchObject({ code: 'start-failed' })
  })
})

describe.skipIf(!isRoot())('as root, with a folder that only root can enter', () => {
  let sealed: string
  let dataDir: string
  let away: string

  beforeEach(async () => {
    sealed = world.newPath()
    await mkdir(sealed, { mode: 0o700 })
    dataDir = join(sealed, 'data')
    const database = await world.open({ dataDir })
    await query(database.url, 'create table kept (word text)')
    await database.close()
    away = database.dataDir
    expect(away).toBe(join(world.stateDir, (await pointerOf(dataDir)).trim()))
  })

  it('a data directory that is moved takes its database along', async () => {
    const moved = join(sealed, 'moved')
    await rename(dataDir, moved)
    const database = await world.open({ dataDir: moved })
    expect(database.dataDir).toBe(away)
    expect(await query(database.url, 'select from kept')).toEqual([])
    expect(await readFile(join(away, 'data-directory'), 'utf8')).toBe(`${moved}\n`)
    // The old name is free: what starts there is another one.
    const fresh = await world.open({ dataDir })
    await expect(query(fresh.url, 'select from kept')).rejects.toMatchObject({ code: '42P01' })
  })

  it('a copied data directory is refused and told how to copy; filled from a backup it has a database of its own', async () => {
    const copy = join(sealed, 'copy')
    await run('cp', ['-r', dataDir, copy])
    const said = await refusal({ dataDir: copy })
    expect(said).toContain(`is a copy of ${dataDir}`)
    expect(said).toMatch(/llmring-server dump.*llmring-server restore/)

    const refilled = await world.open({ dataDir: copy, mode: 'refill' })
    await query(refilled.url, 'create table only_in_the_copy (word text)')
    await refilled.close()
    const original = await world.open({ dataDir })
    expect(await query(original.url, 'select from kept')).toEqual([])
    const own = await world.open({ dataDir: copy })
    expect(await query(own.url, 'select from only_in_the_copy')).toEqual([])
  })

  it('a copy takes the place of an original that is gone', async () => {
    const copy = join(sealed, 'copy')
    await run('cp', ['-r', dataDir, copy])
    await rm(dataDir, { recursive: true })
    expect(await query((await world.open({ dataDir: copy })).url, 'select from kept')).toEqual([])
  })

  it('a lost pointer is missed, and what the refusal says brings the database back', async () => {
    await rm(join(dataDir, 'database-id'))
    const said = await refusal({ dataDir })
    expect(said).toContain(away)
    const command = /echo [0-9a-f]{32} > \S+\/database-id/.exec(said)?.[0] ?? 'false'
    await run('sh', ['-c', command])
    expect(await query((await world.open({ dataDir })).url, 'select from kept')).toEqual([])
  })

  it('a database that is gone from the state directory is missed, and those without a directory are named', async () => {
    const elsewhere = join(sealed, 'elsewhere')
    const other = await world.open({ dataDir: elsewhere })
    await other.close()
    await rm(elsewhere, { recursive: true })
    await rm(away, { recursive: true })
    expect(await refusal({ dataDir })).toContain(`${other.dataDir} (of ${elsewhere})`)
    await expect(stat(away)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('a database that was found by the path of its directory before there were pointers is found, and gets one', async () => {
    const id = idFromPath(dataDir)
    await rename(away, join(world.stateDir, id))
    await rm(join(dataDir, 'database-id'))
    const database = await world.open({ dataDir })
    expect(await query(database.url, 'select from kept')).toEqual([])
    expect(await pointerOf(dataDir)).toBe(`${id}\n`)
  })
})

describe.skipIf(!isRoot())('as root', () => {
  it('a database that a copy made root the owner of is refused with the way to copy', async () => {
    const dataDir = world.newPath()
    await (await world.open({ dataDir })).close()
    const copy = world.newPath()
    await run('cp', ['-r', dataDir, copy])
    const error: unknown = await world.open({ dataDir: copy }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'start-failed' })
    expect(String(error)).toMatch(/belongs to root.*llmring-server dump/)
  })
})
