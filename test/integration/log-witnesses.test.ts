import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatSignatureLines, type Note, parseNote, parseNoteKey, verifyNote } from '../../src/core/tlog/index.js'
import { createWitnessedStore } from '../../src/features/transparency/checkpoint-store.js'
import { readLogPolicy } from '../../src/features/transparency/serve/read-policy.js'
import { createAskWitness } from '../../src/features/transparency/witness/ask-witness.js'
import { createPostCheckpoint } from '../../src/features/transparency/witness/post-checkpoint.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  checkCheckpoints,
  type LogInstance,
  type LogInstanceOptions,
  logKeyText,
  newEntry,
  startLog,
} from '../support/log-instance.js'
import { cosignerOf, SignedLog } from '../support/signed-log.js'
import { startScriptedWitness, startWitnessServer } from '../support/witness-server.js'
import { nodeVerifier } from '../unit/proof-fixtures.js'
import { sha256 } from '../unit/tlog-trees.js'

const closing: (() => Promise<unknown>)[] = []
let database: TestDatabase
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-witnesses-'))
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await rm(directory, { recursive: true })
})

/** A database of its own for each test of a group. */
function useDatabase(): void {
  beforeEach(async () => {
    database = await cloneDatabase()
    closing.push(database.drop)
  })
}

async function witness() {
  const server = await startWitnessServer(logKeyText())
  closing.push(server.close)
  return server
}

async function scripted(answer: Parameters<typeof startScriptedWitness>[0]) {
  const server = await startScriptedWitness(answer)
  closing.push(server.close)
  return server
}

async function start(policy: string, options: Partial<LogInstanceOptions> = {}): Promise<LogInstance> {
  const guard = { kind: 'file', path: join(directory, 'guard') } as const
  const instance = await startLog({ url: database.url, guard, policy, ...options })
  closing.push(instance.close)
  return instance
}

const policyOf = (...witnesses: readonly { readonly url: string; readonly keyText: string }[]): string =>
  `${witnesses.map(({ keyText, url }, at) => `witness w${at} ${keyText} ${url}\n`).join('')}quorum none\n`

/** The largest checkpoint that is kept. */
async function newest({ database: { sql } }: LogInstance) {
  const [row] = await sql<{ size: string; note: string; witnesses: number }[]>`
    select size, note, witnesses from log_checkpoints order by log_checkpoints.size desc limit 1`
  if (row === undefined) throw new Error('there is no checkpoint')
  return { ...row, size: Number(row.size) }
}

async function append(instance: LogInstance, count = 1): Promise<void> {
  const entries = Array.from({ length: count }, newEntry)
  await instance.append(entries)
  expect(await instance.log.waitLogged(entries.at(-1) ?? newEntry(), 20_000)).toBe(true)
}

describe('the log and its witnesses', () => {
  useDatabase()

  test('every witness cosigns what is published, and their lines hold in the note that is kept and shown', async () => {
    const witnesses = [await witness(), await witness()]
    const instance = await start(policyOf(...witnesses))
    await append(instance, 300)
    const { note } = await eventually(async () => {
      const kept = await newest(instance)
      expect(kept).toMatchObject({ size: 300, witnesses: 2 })
      return kept
    })
    const parsed = parseNote(Buffer.from(note))
    for (const { keyText } of witnesses) {
      const key = parseNoteKey(sha256, keyText)
      const verdict = key.ok && parsed.ok ? await verifyNote(nodeVerifier(), [key.key], parsed.note) : null
      expect(verdict).toMatchObject({ ok: true })
    }
    await eventually(async () => {
      const shown = await instance.log.prove((await firstEntry(instance)) ?? newEntry())
      expect(Buffer.from(shown?.checkpoint ?? '').toString()).toBe((await newest(instance)).note)
    })
    const { text } = await instance.metrics.expose()
    expect(text).toMatch(/llmring_log_witness_submissions_total\{witness="w1",result="cosigned"\} [1-9]/)
    expect(text).toContain('llmring_log_witnesses 2')
    expect((await checkCheckpoints(instance.database)).at(-1)).toBe(300)
  })

  test('a witness that says nothing, and one that is not there, delay nothing and nobody', async () => {
    const silent = await scripted(() => undefined)
    const gone = await scripted(() => undefined)
    await gone.close()
    const good = await witness()
    const keyText = cosignerOf(31).keyText
    const instance = await start(
      policyOf({ url: silent.url, keyText }, { url: gone.url, keyText: cosignerOf(32).keyText }, good),
    )
    for (let round = 0; round < 5; round += 1) await append(instance, 10)
    await eventually(async () => expect(await newest(instance)).toMatchObject({ size: 50, witnesses: 1 }))
    // One submission is under way, and it is waited for.
    expect(silent.atOnce).toBe(1)
    expect(silent.bodies).toHaveLength(1)
  })

  test('an entry is proved under the first checkpoint that the quorum cosigned, however the log has grown since', async () => {
    const [first, second] = [await witness(), await witness()]
    const instance = await start(
      `${policyOf(first, second).replace('quorum none', 'group both all w0 w1\nquorum both')}`,
    )
    await append(instance)
    const entry = (await firstEntry(instance)) ?? newEntry()
    await eventually(async () => expect(await newest(instance)).toMatchObject({ size: 1, witnesses: 2 }))
    const seen = (await newest(instance)).note
    await append(instance, 20)
    await eventually(async () => expect(await newest(instance)).toMatchObject({ size: 21, witnesses: 2 }))
    const shown = await instance.log.prove(entry)
    expect(Buffer.from(shown?.checkpoint ?? '').toString()).toBe(seen)
    expect(shown).toMatchObject({ index: 0, proof: [] })
    // The last of those that both have cosigned, up to a size.
    const store = createWitnessedStore(instance.database.sql)
    // The empty tree may have been cosigned before the first entry came.
    const listLast = async (size: number, count: number) =>
      (await store.listLast(size, count)).filter((one) => one.size > 0)
    expect((await listLast(21, 1)).map(({ size }) => size)).toEqual([21])
    expect((await listLast(20, 9)).at(-1)).toMatchObject({ size: 1, note: seen, witnesses: 2 })
    expect(await listLast(0, 9)).toEqual([])
    // Cosigned by one of the two is not enough.
    await instance.database.sql`
      update log_checkpoints set witnesses = 1, note = regexp_replace(note, '[^\n]*\n$', '') where size = 1`
    expect(Buffer.from((await instance.log.prove(entry))?.checkpoint ?? '').toString()).toBe(
      (await newest(instance)).note,
    )
  })

  test('submits the newest checkpoint only, one at a time', async () => {
    const held: ServerResponse[] = []
    const slow = await scripted((outgoing) => void held.push(outgoing))
    const instance = await start(policyOf({ url: slow.url, keyText: cosignerOf(31).keyText }))
    await eventually(() => expect(held).toHaveLength(1))
    for (let round = 0; round < 5; round += 1) await append(instance, 10)
    held[0]?.writeHead(503).end()
    await eventually(() => expect(held).toHaveLength(2))
    expect(slow.bodies[1]).toContain('\n50\n')
    expect(slow.atOnce).toBe(1)
  })
})

describe('LLMRING_TLOG_GUARD=witness', () => {
  const guard = { kind: 'witness' } as const
  useDatabase()

  test('signs nothing while no witness has said what it has seen, and goes on once one has', async () => {
    let answers = false
    const cosigner = cosignerOf(31)
    const late = await scripted((outgoing, body) => {
      if (!answers) return void outgoing.writeHead(503).end()
      outgoing.end(cosigned(body, cosigner))
    })
    const instance = await start(policyOf({ url: late.url, keyText: cosigner.keyText }), { guard })
    await instance.append([newEntry()]).catch(() => undefined)
    await eventually(() => expect(() => instance.log.refuseWhileSuspended()).toThrow(/witness/))
    answers = true
    await eventually(() => expect(() => instance.log.refuseWhileSuspended()).not.toThrow(), 20_000)
  })

  test('a size that a witness names by mistake bars the log until it says otherwise, and no restart is needed', async () => {
    const cosigner = cosignerOf(31)
    let isWrong = true
    const confused = await scripted((outgoing, body) => {
      if (isWrong) outgoing.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('999999\n')
      else outgoing.end(cosigned(body, cosigner))
    })
    const instance = await start(policyOf({ url: confused.url, keyText: cosigner.keyText }), { guard })
    await eventually(() => expect(() => instance.log.refuseWhileSuspended()).toThrow(/less than was signed/))
    isWrong = false
    await eventually(() => expect(() => instance.log.refuseWhileSuspended()).not.toThrow(), 20_000)
    await append(instance, 3)
  })

  test('refuses to go on from an older database: the witness remembers a larger tree', async () => {
    const server = await witness()
    const first = await start(policyOf(server), { guard })
    await eventually(() => first.log.refuseWhileSuspended())
    await append(first, 20)
    await eventually(async () => expect(await newest(first)).toMatchObject({ size: 20, witnesses: 1 }))
    const restored = await cloneDatabase()
    closing.push(() => restored.drop())
    const second = await start(policyOf(server), { guard, url: restored.url })
    await eventually(() => expect(() => second.log.refuseWhileSuspended()).toThrow(/less than was signed/))
    expect(await second.append([newEntry()]).catch((error: Error) => error.message)).toMatch(/less than was signed/)
  })

  test('refuses to go on with another history, however long', async () => {
    const server = await witness()
    const first = await start(policyOf(server), { guard })
    await eventually(() => first.log.refuseWhileSuspended())
    await append(first, 20)
    await eventually(async () => expect(await newest(first)).toMatchObject({ size: 20, witnesses: 1 }))
    const other = await cloneDatabase()
    closing.push(() => other.drop())
    // Grown in secret, past what the witness has seen.
    const secret = await startLog({ url: other.url, guard: { kind: 'none' } })
    await append(secret, 40)
    await secret.close()
    const second = await start(policyOf(server), { guard, url: other.url })
    await eventually(() => expect(() => second.log.refuseWhileSuspended()).toThrow(/another history/), 20_000)
    expect(await newest(second)).toMatchObject({ witnesses: 0 })
  })
})

describe('a witness that answers wrongly', () => {
  const cosigner = cosignerOf(31)
  const log = new SignedLog().append(9)
  const size = (text: string) => (outgoing: ServerResponse) =>
    void outgoing.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(text)
  const bounces = [1, 2, 3, 4]

  const CASES: readonly (readonly [string, Parameters<typeof startScriptedWitness>[0], RegExp])[] = [
    ['nothing', (outgoing) => void outgoing.end(), /no cosignature/],
    ['a line of another key', (outgoing, body) => void outgoing.end(cosigned(body, cosignerOf(32))), /no cosignature/],
    [
      'a cosignature of another checkpoint',
      (outgoing) => void log.note(8).then((note) => outgoing.end(lineOf(note, cosigner))),
      /no cosignature/,
    ],
    [
      'a broken signature',
      (outgoing, body) =>
        void outgoing.end(
          cosigned(body, cosigner)
            .replace(/.{8}==\n$/, 'AAAAAAA==\n')
            .replace(/.{8}\n$/, 'AAAAAAA=\n'),
        ),
      /no cosignature/,
    ],
    ['a page', (outgoing) => void outgoing.end('<html>'), /no cosignature/],
    ['more than it may', (outgoing) => void outgoing.end('x'.repeat(100_000)), /answer-too-large/],
    ['a way elsewhere', (outgoing) => void outgoing.writeHead(307, { location: '/elsewhere' }).end(), /status 307/],
    ['a size without its type', (outgoing) => void outgoing.writeHead(409).end('5\n'), /status 409/],
    ['no size', size('05\n'), /status 409/],
    ['another size each time', (outgoing) => size(`${bounces.shift()}\n`)(outgoing), /another size each time/],
    ['a size beyond the tree', size('10\n'), /larger tree/],
    ['that the proof is wrong', (outgoing) => void outgoing.writeHead(422).end(), /another tree/],
    ['the very size', size('0\n'), /another tree/],
    ['nothing at all', (outgoing) => void outgoing.destroy(), /ECONNRESET|UND_ERR|broken-off/],
  ]
  test.each(CASES)('%s: is not believed', async (_what, answer, reason) => {
    const server = await scripted(answer)
    const { post, close } = createPostCheckpoint()
    closing.push(close)
    const key = parseNoteKey(sha256, cosigner.keyText)
    if (!key.ok) throw new Error(key.reason)
    const ask = createAskWitness(
      { post, prove: (from, to) => log.proof(from, to), verifier: nodeVerifier(), onSize: () => undefined },
      { name: 'w', key: key.key, url: server.url },
    )
    const { root } = await log.checkpoint()
    const asked = await ask({ size: 9, root, note: await log.note() }, new AbortController().signal)
    expect(asked).toMatchObject({ ok: false, reason: expect.stringMatching(reason) })
    expect(server.bodies.length).toBeLessThanOrEqual(3)
  })
})

describe('LLMRING_TLOG_POLICY_FILE', () => {
  const W = cosignerOf(31).keyText
  const CASES = [
    ['witness w', /wrong-number-of-words in line 1/],
    [`witness w ${W}\nquorum w`, /no witness with a URL/],
    [`witness w ${W} ftp://w.example/\nquorum w`, /no http or https URL/],
    [`log ${new SignedLog(8).keyText}\nwitness w ${W} https://w.example/\nquorum w`, /another key for the log/],
  ] as const
  test.each(CASES)('is refused: %s', async (text, reason) => {
    const path = join(directory, 'policy')
    await writeFile(path, `${text}\n`)
    const read = readLogPolicy(path, 'receipts.example/log1', new Uint8Array(32).fill(7))
    await expect(read).rejects.toMatchObject({ exitCode: 78, message: expect.stringMatching(reason) })
    await expect(readLogPolicy(join(directory, 'none'), 'a', new Uint8Array(32))).rejects.toMatchObject({
      exitCode: 78,
    })
  })
})

async function firstEntry({ database: { sql } }: LogInstance): Promise<Uint8Array | undefined> {
  const [row] = await sql<{ entry: Buffer }[]>`select entry from log_entries where log_entries.index = 0`
  return row?.entry
}

type Cosigner = ReturnType<typeof cosignerOf>

/** The lines that a cosigner adds to the checkpoint of a submission. */
function cosigned(body: string, cosigner: Cosigner): string {
  const parsed = parseNote(Buffer.from(body.slice(body.indexOf('\n\n') + 2)))
  if (!parsed.ok) throw new Error(parsed.reason)
  return lineOf(parsed.note, cosigner)
}

function lineOf(note: Note, cosigner: Cosigner): string {
  return formatSignatureLines(cosigner.cosign(note).signatures.slice(note.signatures.length))
}
