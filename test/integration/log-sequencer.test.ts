import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashLeaf, parseCheckpoint, parseNote, verifyInclusion } from '../../src/core/tlog/index.js'
import { saveCheckpoint } from '../../src/features/transparency/checkpoint-store.js'
import { type SequenceDeps, sequencePending } from '../../src/features/transparency/sequence/sequence.js'
import { extendTree, lockSequence } from '../../src/features/transparency/sequence/sequence-store.js'
import { sha256 } from '../../src/platform/sha256.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  checkCheckpoints,
  type LogInstance,
  type LogInstanceOptions,
  newEntry,
  readEntries,
  startLog,
} from '../support/log-instance.js'

let database: TestDatabase
let directory: string
const running: LogInstance[] = []

beforeEach(async () => {
  ;[database, directory] = await Promise.all([cloneDatabase(), mkdtemp(join(tmpdir(), 'llmring-log-'))])
})
afterEach(async () => {
  for (const instance of running.splice(0)) await instance.close()
  await database.drop()
  await rm(directory, { recursive: true, force: true })
})

const guardOf = (name: string) => ({ kind: 'file' as const, path: join(directory, name) })

async function start(options: Partial<LogInstanceOptions> = {}): Promise<LogInstance> {
  const instance = await startLog({ url: database.url, guard: guardOf('guard'), ...options })
  running.push(instance)
  return instance
}

const hex = (entries: readonly Uint8Array[]) => entries.map((entry) => Buffer.from(entry).toString('hex'))
const many = (count: number) => Array.from({ length: count }, newEntry)

describe('the log', () => {
  it('begins with a checkpoint of no leaves', async () => {
    const { database: db } = await start()
    expect(await checkCheckpoints(db)).toEqual([0])
  })

  it('numbers what two instances append, in the order of each, without holes, and every checkpoint holds', async () => {
    const [one, other] = [await start(), await start({ guard: guardOf('other') })]
    const [mine, others] = [many(1_000), many(1_000)]
    const groups = (entries: readonly Uint8Array[]) =>
      Array.from({ length: 100 }, (_, at) => entries.slice(at * 10, at * 10 + 10))
    await Promise.all([one.append(...groups(mine)), other.append(...groups(others))])
    const waits = [...mine, ...others].map((entry, at) => (at % 2 ? one : other).log.waitLogged(entry, 20_000))
    expect(await Promise.all(waits)).toEqual(waits.map(() => true))
    const logged = hex(await readEntries(one.database))
    expect(logged).toHaveLength(2_000)
    for (const entries of [mine, others]) {
      const wanted = hex(entries)
      expect(logged.filter((entry) => wanted.includes(entry))).toEqual(wanted)
    }
    const sizes = await checkCheckpoints(one.database)
    expect(sizes.at(-1)).toBe(2_000)
    expect(sizes.length).toBeGreaterThan(2)
  })

  it('takes many leaves in chunks', async () => {
    const instance = await start()
    const entries = many(11_000)
    await instance.append(entries)
    expect(await instance.log.waitLogged(entries.at(-1) ?? newEntry(), 20_000)).toBe(true)
    expect(hex(await readEntries(instance.database))).toEqual(hex(entries))
    expect(await checkCheckpoints(instance.database)).toEqual([0, 5_000, 10_000, 11_000])
  })

  it('proves an entry under the checkpoint that it shows, and says nothing of one that it does not have', async () => {
    const instance = await start()
    const entries = many(300)
    await instance.append(entries)
    const entry = entries[123] ?? newEntry()
    expect(await instance.log.waitLogged(entry, 20_000)).toBe(true)
    const proof = await instance.log.prove(entry)
    const note = parseNote(proof?.checkpoint ?? new Uint8Array())
    const head = parseCheckpoint(note.ok ? note.note.text : '')
    expect(head).toMatchObject({ ok: true, checkpoint: { size: 300 } })
    if (!head.ok || proof === null) return
    const { root, size } = head.checkpoint
    const leaf = hashLeaf(sha256, entry)
    expect(verifyInclusion(sha256, { leaf, index: proof.index, size, root, proof: proof.proof })).toEqual({ ok: true })
    expect(await instance.log.prove(newEntry())).toBeNull()
    expect(await instance.log.waitLogged(newEntry(), 50)).toBe(false)
  })

  it('of leaves that a transaction did not commit knows nothing', async () => {
    const instance = await start()
    const lost = newEntry()
    const kept = newEntry()
    const { transact } = instance
    await transact(async (tx) => {
      await instance.log.append(tx, [lost])
      throw new Error('no')
    }).catch(() => undefined)
    await instance.append([kept])
    expect(await instance.log.waitLogged(kept, 20_000)).toBe(true)
    expect(hex(await readEntries(instance.database))).toEqual(hex([kept]))
  })

  it('says how many leaves wait, how large it is and how old its checkpoint', async () => {
    const instance = await start()
    const entry = newEntry()
    await instance.append([entry])
    await instance.log.waitLogged(entry, 20_000)
    const { text } = await instance.metrics.expose()
    expect(text).toMatch(/^llmring_log_size 1$/m)
    expect(text).toMatch(/^llmring_log_pending_leaves \d+$/m)
    expect(text).toMatch(/^llmring_log_checkpoint_age_seconds [\d.e-]+$/m)
  })
})

describe('a start', () => {
  it('is refused with another name, and with another key', async () => {
    await start()
    const guard = guardOf('another')
    await expect(start({ origin: 'log.example/other', guard })).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('log.example/receipts'),
    })
    await expect(start({ seed: new Uint8Array(32).fill(8), guard })).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('LLMRING_TLOG_PRIVATE_KEY_B64'),
    })
  })
})

describe('a turn', () => {
  /** A log of three entries that nobody sequences, with one more that waits. */
  async function idle() {
    const instance = await start()
    await instance.append(many(3))
    await eventually(async () => expect((await checkCheckpoints(instance.database)).at(-1)).toBe(3))
    await instance.feature.close()
    await instance.database.sql`insert into log_pending (entry, pending_since) values (${newEntry()}, now())`
    const turn = (judge: SequenceDeps['judge'] = async () => null) =>
      sequencePending({ transact: instance.transact, judge, onStep: () => undefined })
    const state = async () => {
      const [row] = await instance.database.sql<{ size: number; entries: number; pending: number }[]>`
        select size::int, (select count(*) from log_entries)::int as entries,
          (select count(*) from log_pending)::int as pending from log_head`
      return row
    }
    return { ...instance, turn, state }
  }
  const unchanged = { size: 3, entries: 3, pending: 1 }

  it('takes what waits, and of a head that is not signed nothing', async () => {
    const { turn, state } = await idle()
    expect(await turn()).toMatchObject({ status: 'extended', leaves: 1, head: { size: 4 } })
    expect(await state()).toEqual({ size: 4, entries: 4, pending: 0 })
    expect(await turn()).toMatchObject({ status: 'unsigned', head: { size: 4 } })
  })

  it('that the guard refuses takes nothing, though nobody had noticed before', async () => {
    const { turn, state } = await idle()
    expect(await turn(async () => 'rolled-back')).toEqual({ status: 'refused', reason: 'rolled-back' })
    expect(await state()).toEqual(unchanged)
  })

  it('takes nothing while another session has its own', async () => {
    const { turn, state, transact } = await idle()
    await transact(async (tx) => {
      await lockSequence(tx)
      expect(await turn()).toEqual({ status: 'busy' })
    })
    expect(await state()).toEqual(unchanged)
    expect(await turn()).toMatchObject({ status: 'extended' })
  })

  it('ends if a tile at the edge is not that of the head, and extends nothing', async () => {
    const { turn, state, database: db } = await idle()
    await db.sql`update log_tiles set hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40)) where level = 0`
    await expect(turn()).rejects.toThrow('the root of the head')
    expect(await state()).toEqual(unchanged)
  })

  it.each([
    ['another size', { size: 2 }],
    ['another root', { root: new Uint8Array(32) }],
  ])('extends no head of %s than it has read', async (_what, other) => {
    const { state, transact, database: db } = await idle()
    const [head] = await db.sql<{ size: number; root: Buffer }[]>`select size::int, root from log_head`
    const [leaf] = await db.sql<{ id: string; entry: Buffer }[]>`select id, entry from log_pending`
    if (head === undefined || leaf === undefined) throw new Error('there is a head and a leaf')
    const from = { ...head, ...other }
    const next = { size: 4, root: new Uint8Array(32).fill(1) }
    await expect(transact((tx) => extendTree(tx, from, next, [leaf], []))).rejects.toThrow()
    expect(await state()).toEqual(unchanged)
  })
})

describe('a size that was signed', () => {
  it('keeps its root: a second one is neither saved nor shown', async () => {
    const { database: db, transact, feature, append } = await start()
    await append(many(3))
    await eventually(async () => expect((await checkCheckpoints(db)).at(-1)).toBe(3))
    await feature.close()
    const second = { size: 3, root: new Uint8Array(32).fill(1), note: 'another', witnesses: 5 }
    expect(await transact((tx) => saveCheckpoint(tx, second))).toBeUndefined()
    expect((await checkCheckpoints(db)).at(-1)).toBe(3)
  })
})

const STEPS = ['extended', 'committed', 'signed', 'guarded', 'saved'] as const

describe('an instance that ends', () => {
  it.each(STEPS)(
    'after the step %s leaves what the next one completes: nothing is lost, nothing is twice',
    async (step) => {
      let isBroken = false
      const broken = await start({
        onStep: (done) => {
          if (isBroken && done === step) throw new Error('the end')
        },
      })
      const first = many(20)
      await broken.append(first)
      expect(await broken.log.waitLogged(first.at(-1) ?? newEntry(), 20_000)).toBe(true)
      isBroken = true
      const second = many(20)
      await broken.append(second)
      const reached = step === 'extended' ? 0 : 20
      await eventually(async () => {
        const [row] = await broken.database.sql<{ failed: boolean }[]>`
        select size = ${20 + reached} and (${step !== 'saved'} or exists (select from log_checkpoints where size = 40)) as failed
        from log_head`
        expect(row?.failed).toBe(true)
      })
      expect(await broken.log.waitLogged(second[0] ?? newEntry(), 100)).toBe(false)
      await broken.close()
      running.splice(running.indexOf(broken), 1)

      const next = await start()
      expect(await next.log.waitLogged(second.at(-1) ?? newEntry(), 20_000)).toBe(true)
      expect(hex(await readEntries(next.database))).toEqual(hex([...first, ...second]))
      expect((await checkCheckpoints(next.database)).at(-1)).toBe(40)
    },
  )
})
