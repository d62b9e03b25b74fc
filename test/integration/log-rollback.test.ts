import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifySignature } from '../../src/core/ed25519/index.js'
import { canonicalJson, parseCanonicalBytes } from '../../src/core/json/index.js'
import { hashLeaf, parseCheckpoint, parseNote, verifyInclusion } from '../../src/core/tlog/index.js'
import { acceptHead, readAcceptance } from '../../src/features/transparency/accept-head.js'
import { createGuard } from '../../src/features/transparency/guard/create-guard.js'
import { createLogSigner } from '../../src/features/transparency/log-key.js'
import { lockSequence } from '../../src/features/transparency/sequence/sequence-store.js'
import { createNodeVerifier } from '../../src/platform/node-ed25519.js'
import { sha256 } from '../../src/platform/sha256.js'
import { dumpOf, restoreInto } from '../fixtures/dump-world.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { holdTransaction } from '../support/held-transaction.js'
import {
  checkCheckpoints,
  LOG_ORIGIN,
  LOG_SEED,
  type LogInstance,
  newEntry,
  startLog,
} from '../support/log-instance.js'

const clones: TestDatabase[] = []
const running: LogInstance[] = []
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-rollback-'))
})
afterEach(async () => {
  for (const instance of running.splice(0)) await instance.close()
  for (const { drop } of clones.splice(0)) await drop()
  await rm(directory, { recursive: true, force: true })
})

async function clone(): Promise<string> {
  const database = await cloneDatabase()
  clones.push(database)
  return database.url
}

const guardPath = (name = 'guard') => join(directory, name)
async function start(url: string, name?: string): Promise<LogInstance> {
  const instance = await startLog({ url, guard: { kind: 'file', path: guardPath(name) }, hearsFirst: true })
  running.push(instance)
  return instance
}

async function stop(instance: LogInstance): Promise<void> {
  running.splice(running.indexOf(instance), 1)
  await instance.close()
}

async function appendLogged(instance: LogInstance, count: number): Promise<void> {
  const entries = Array.from({ length: count }, newEntry)
  await instance.append(entries)
  expect(await instance.log.waitLogged(entries.at(-1) ?? newEntry(), 20_000)).toBe(true)
}

const suspended = expect.objectContaining({ code: 'log-suspended' })
const signer = createLogSigner(LOG_ORIGIN, LOG_SEED)
const accepting = ({ transact }: LogInstance) => ({
  ...{ transact, clock: Date.now, signer, path: guardPath() },
  guard: createGuard({ kind: 'file', path: guardPath() }, signer.key),
})

/** A log of 40 entries, restored from a dump that was made when it had 30. */
async function restoreOld(): Promise<LogInstance> {
  const [now, old] = [await clone(), await clone()]
  const instance = await start(now)
  await appendLogged(instance, 30)
  const { file } = await dumpOf(now)
  await appendLogged(instance, 10)
  await stop(instance)
  await restoreInto(old, file)
  return start(old)
}

async function expectRefused(instance: LogInstance): Promise<void> {
  expect(instance.feature.ready()).toBe(false)
  expect(() => instance.log.refuseWhileSuspended()).toThrow(suspended)
  await expect(instance.append([newEntry()])).rejects.toEqual(suspended)
  await expect(instance.log.prove(newEntry())).rejects.toEqual(suspended)
  const { text } = await instance.metrics.expose()
  expect(text).toMatch(/^llmring_log_suspended 1$/m)
}

async function expectProven(instance: LogInstance, entry = newEntry()): Promise<void> {
  const shown = await instance.log.prove(entry)
  const note = parseNote(shown?.checkpoint ?? new Uint8Array())
  const parsed = parseCheckpoint(note.ok ? note.note.text : '')
  if (shown === null || !parsed.ok) throw new Error('there is no proof')
  const { size, root } = parsed.checkpoint
  expect(verifyInclusion(sha256, { leaf: hashLeaf(sha256, entry), ...shown, size, root })).toEqual({ ok: true })
}

describe('a log whose database went back', () => {
  it('signs nothing under the guard that remembers more, whatever waits in it', async () => {
    const restored = await restoreOld()
    await expectRefused(restored)
    expect(await readFile(guardPath(), 'utf8')).toContain('\n40\n')
    const { sql } = restored.database
    await sql`insert into log_pending (entry, pending_since) values (${Buffer.from(newEntry())}, now())`
    // The next look finds the leaf, and does not take it.
    await eventually(async () => {
      const { text } = await restored.metrics.expose()
      expect(text).toMatch(/^llmring_log_pending_leaves 1$/m)
    })
    const [head] = await sql`select size::int from log_head`
    expect(head).toEqual({ size: 30 })
    expect((await checkCheckpoints(restored.database)).at(-1)).toBe(30)
  })

  it('goes on as soon as the operator has accepted it, and says so in the log itself', async () => {
    const restored = await restoreOld()
    const deps = accepting(restored)
    const offered = await readAcceptance(deps)
    expect(offered).toMatchObject({ reason: 'rolled-back', head: { size: 30 }, remembered: { size: 40 } })
    await expectRefused(restored)
    expect(await acceptHead(deps)).toEqual(offered)
    await eventually(() => expect(restored.feature.ready()).toBe(true))
    await appendLogged(restored, 5)
    expect((await checkCheckpoints(restored.database)).at(-1)).toBe(36)

    const [statement] = await restored.database.sql<{ entry: Buffer; canonical: Buffer; kind: string }[]>`
      select entry, canonical, kind from log_statements`
    expect(statement?.kind).toBe('head-acceptance/v1')
    const canonical = new Uint8Array(statement?.canonical ?? [])
    expect(Buffer.from(sha256(canonical))).toEqual(statement?.entry)
    expect(await restored.log.prove(sha256(canonical))).toMatchObject({ index: 30 })
    const parsed = parseCanonicalBytes(canonical)
    if (!parsed.ok) throw new Error('the statement is not canonical')
    const { signature, ...said } = parsed.value as Record<string, unknown>
    expect(said).toMatchObject({
      ...{ type: 'head-acceptance/v1', issuer: LOG_ORIGIN },
      ...{ remembered: { size: 40 }, accepted: { size: 30 } },
    })
    const signed = canonicalJson(said)
    const verdict = verifySignature(
      createNodeVerifier(),
      signer.key.publicKey,
      signed.ok ? signed.bytes : new Uint8Array(),
      String(signature),
    )
    expect(await verdict).toMatchObject({ ok: true })
  })

  it('proves by the tiles of the history that was accepted, and by none that it had in memory', async () => {
    const instance = await start(await clone())
    const { sql } = instance.database
    const before = Array.from({ length: 300 }, newEntry)
    await instance.append(before)
    expect(await instance.log.waitLogged(before[299] ?? newEntry(), 20_000)).toBe(true)
    await expectProven(instance, before[299])
    await sql`truncate log_checkpoints, log_entries, log_tiles`
    await sql`update log_head set size = 0, root = sha256('')`
    await eventually(() => expect(instance.feature.ready()).toBe(false))
    expect(await acceptHead(accepting(instance))).toMatchObject({ reason: 'rolled-back' })
    await eventually(() => expect(instance.feature.ready()).toBe(true))
    const after = Array.from({ length: 300 }, newEntry)
    await instance.append(after)
    expect(await instance.log.waitLogged(after[299] ?? newEntry(), 20_000)).toBe(true)
    await expectProven(instance, after[299])
  })

  it('is accepted once: what agrees with the guard is not stated', async () => {
    const instance = await start(await clone())
    await appendLogged(instance, 3)
    const before = await readFile(guardPath(), 'utf8')
    expect(await acceptHead(accepting(instance))).toMatchObject({ reason: null })
    expect(await readFile(guardPath(), 'utf8')).toBe(before)
    expect(await instance.database.sql`select 1 from log_statements`).toHaveLength(0)
  })

  it('is looked at only once no other session numbers leaves', async () => {
    const instance = await start(await clone())
    const { sql } = instance.database
    await appendLogged(instance, 3)
    const letGo = await holdTransaction(
      sql,
      (tx) => tx`select pg_advisory_xact_lock(hashtextextended('llmring log sequence', 0))`,
    )
    const acceptance = acceptHead(accepting(instance))
    await eventually(async () =>
      expect(
        await sql`
          select from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())`,
      ).toHaveLength(1),
    ).finally(letGo)
    expect(await acceptance).toMatchObject({ reason: null, head: { size: 3 } })
  })

  it('is another history if it grew from the old copy meanwhile, and is refused as well', async () => {
    const restored = await restoreOld()
    const elsewhere = await startLog({ url: clones.at(-1)?.url ?? '', guard: { kind: 'none' } })
    running.push(elsewhere)
    await appendLogged(elsewhere, 25)
    await eventually(async () => expect((await readAcceptance(accepting(restored))).reason).toBe('forked'))
    await expectRefused(restored)
  })

  it('is refused while it runs, too', async () => {
    const url = await clone()
    const instance = await start(url)
    await appendLogged(instance, 30)
    await instance.database.sql`delete from log_checkpoints where size > 0`
    await instance.database.sql`update log_head set size = 0, root = sha256('')`
    await eventually(() => expect(instance.feature.ready()).toBe(false))
    await expectRefused(instance)
  })
})

describe('a guard file that is torn', () => {
  it('stops the log until the file is mended, or the head accepted', async () => {
    const url = await clone()
    const first = await start(url)
    await appendLogged(first, 30)
    await stop(first)
    const whole = await readFile(guardPath(), 'utf8')
    await writeFile(guardPath(), whole.slice(0, -30))
    const torn = await start(url)
    await expectRefused(torn)
    await writeFile(guardPath(), whole)
    await eventually(() => expect(torn.feature.ready()).toBe(true))
    await appendLogged(torn, 1)
    await stop(torn)

    await writeFile(guardPath(), 'no note')
    const again = await start(url)
    expect(await acceptHead(accepting(again))).toMatchObject({ reason: 'guard-unreadable', remembered: null })
    await eventually(() => expect(again.feature.ready()).toBe(true))
  })
})

describe('another instance with a guard file of its own', () => {
  it('remembers what the first one signed, and refuses an old copy by itself', async () => {
    const [now, old] = [await clone(), await clone()]
    const [first, second] = [await start(now), await start(now, 'second')]
    await appendLogged(first, 30)
    const { file } = await dumpOf(now)
    await appendLogged(first, 10)
    await eventually(async () => expect(await readFile(guardPath('second'), 'utf8')).toContain('\n40\n'))
    await stop(first)
    await stop(second)
    await restoreInto(old, file)
    await expectRefused(await start(old, 'second'))
  })
})

describe('leaves that wait for longer than half of what is promised', () => {
  it('stop the issuing of more, until they are in the log', async () => {
    const url = await clone()
    const instance = await start(url)
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    // Another session has the lock, so that nothing is sequenced.
    const holding = instance.transact(async (tx) => {
      await lockSequence(tx)
      await held
    })
    await instance.append([newEntry()])
    await instance.database.sql`update log_pending set pending_since = now() - interval '31 seconds'`
    await eventually(() => expect(() => instance.log.refuseWhileSuspended()).toThrow(suspended))
    expect(instance.feature.ready()).toBe(false)
    expect(await instance.log.prove(newEntry())).toBeNull()
    release()
    await holding
    await eventually(() => expect(instance.feature.ready()).toBe(true))
    expect((await checkCheckpoints(instance.database)).at(-1)).toBe(1)
  })
})
