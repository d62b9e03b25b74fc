import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  decodeBase64,
  formatNote,
  type Note,
  parseNote,
  verifyConsistency,
  verifyNote,
} from '../../src/core/tlog/index.js'
import { runCommand } from '../support/command.js'
import { type LogSite, openLogSite } from '../support/log-site.js'
import { cosignerOf, SignedLog } from '../support/signed-log.js'
import { nodeVerifier } from '../unit/proof-fixtures.js'
import { flipped, sha256 } from '../unit/tlog-trees.js'

const [W1, W2] = [cosignerOf(21), cosignerOf(22)]
const textOf = (note: Note): string => Buffer.from(formatNote(note)).toString()

let directory: string
let site: LogSite
let log: SignedLog
let round = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llmring-monitor-'))
})
afterAll(() => rm(directory, { recursive: true }))
beforeEach(async () => {
  round += 1
  log = new SignedLog().append(700)
  site = await openLogSite(log, '')
  await show()
  const witnesses = `witness w1 ${W1.keyText}\nwitness w2 ${W2.keyText}\n`
  await writeFile(at('policy'), `log ${log.keyText}\n${witnesses}group both any w1 w2\nquorum both\n`)
})
afterEach(() => site.close())

const at = (name: string): string => join(directory, `${round}-${name}`)
const look = (...more: readonly string[]) =>
  runCommand(['monitor', site.url, '--policy', at('policy'), '--state', at('state'), ...more])
/** The evidence that was found in this round. */
async function evidence() {
  const names = (await readdir(directory)).filter((name) => name.startsWith(`${round}-state.evidence-`))
  expect(names).toHaveLength(1)
  return JSON.parse(await readFile(join(directory, names[0] ?? ''), 'utf8'))
}

/** Serves a log with the checkpoint of its first `size` entries, cosigned. */
async function show(shown = log, size = shown.entries.length): Promise<void> {
  site.log = shown
  site.note = textOf(W1.cosign(await shown.note(size)))
}

describe('monitor', () => {
  test('finds a log good that only grows, and remembers its last checkpoint', async () => {
    const first = await look('--json')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(first.stdout)).toMatchObject({
      ...{ verdict: 'good', origin: 'receipts.example/log1', size: 700, previous_size: null, witnesses: ['w1'] },
      quorum_met: true,
    })
    expect(await look()).toMatchObject({ code: 0, stdout: expect.stringContaining('consistent with 700 before') })
    log.append(600)
    await show()
    site.asked.length = 0
    expect(JSON.parse((await look('--json')).stdout)).toMatchObject({ size: 1300, previous_size: 700 })
    // A proof takes a few tiles, not the whole log.
    expect(site.asked.length).toBeLessThan(10)
    expect(await readFile(at('state'), 'utf8')).toContain(site.note)
  })

  test('says that a consistent log is not witnessed enough with 3, and keeps its checkpoint all the same', async () => {
    site.note = await log.noteText()
    expect(await look()).toMatchObject({ code: 3, stdout: expect.stringContaining('no witness of the policy') })
    const forked = new SignedLog().append(700, 'another')
    await show(forked)
    expect(await look()).toMatchObject({ code: 1 })
  })

  test('finds a busy log good whose newest checkpoint is younger than what its witnesses were asked', async () => {
    site.note = await log.noteText()
    const now = Math.floor(Date.now() / 1000)
    site.witnessed = textOf(W1.cosign(await log.note(650), now))
    const found = await look('--json')
    expect(found).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(found.stdout)).toMatchObject({
      size: 700,
      witnessed_size: 650,
      witnesses: ['w1'],
      quorum_met: true,
    })
    expect((await look()).stdout).toContain('cosigned by w1 at 650 entries')
    // One that came meanwhile is the newest.
    log.append(10)
    site.witnessed = textOf(W1.cosign(await log.note(710), now))
    expect(JSON.parse((await look('--json')).stdout)).toMatchObject({
      size: 710,
      witnessed_size: 710,
      previous_size: 700,
    })
  })

  test('what witnesses saw long ago, or too few of them, says nothing of what a log shows now', async () => {
    site.note = await log.noteText()
    const now = Math.floor(Date.now() / 1000)
    site.witnessed = textOf(W1.cosign(await log.note(650), now - 3_600))
    expect(await look()).toMatchObject({ code: 3 })
    site.witnessed = textOf(cosignerOf(23).cosign(await log.note(650), now))
    expect(await look()).toMatchObject({ code: 3 })
    for (const answer of [{ status: 503 }, { status: 200, body: '<html>' }]) {
      site.meddle = (path) => (path === 'checkpoint/witnessed' ? answer : undefined)
      expect(await look()).toMatchObject({ code: 3 })
    }
  })

  test('convicts a log that shows its witnesses another tree than the auditor', async () => {
    site.note = await log.noteText()
    const secret = new SignedLog().append(600).append(50, 'another')
    site.witnessed = textOf(W1.cosign(await secret.note(650), Math.floor(Date.now() / 1000)))
    expect(await look()).toMatchObject({ code: 1, stdout: expect.stringContaining('rewritten') })
    expect(await evidence()).toMatchObject({ first: site.witnessed, second: site.note })
  })

  test('proves two trees of one size: both notes are kept, and hold without this program', async () => {
    await look()
    const kept = await readFile(at('state'), 'utf8')
    const before = site.note
    await show(new SignedLog().append(600).append(100, 'another'))
    expect(await look()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/BAD: .*two trees of 700[\s\S]*evidence/),
    })
    const found = await evidence()
    expect(found).toMatchObject({ type: 'llmring-evidence/v1', first: before, second: site.note })
    for (const text of [found.first, found.second]) {
      const parsed = parseNote(Buffer.from(text))
      expect(parsed.ok && (await verifyNote(nodeVerifier(), [log.key], parsed.note)).ok).toBe(true)
    }
    expect(await readFile(at('state'), 'utf8')).toBe(kept)
  })

  test('proves a past that was rewritten under a larger tree, with the proof that shows it', async () => {
    await look()
    const rewritten = new SignedLog().append(300).append(1, 'another').append(900)
    await show(rewritten)
    expect(await look()).toMatchObject({ code: 1, stdout: expect.stringContaining('rewritten') })
    const { consistency_proof: lines } = await evidence()
    const proof = lines.map((line: string) => decodeBase64(line, 32))
    const now = await rewritten.checkpoint()
    // It leads from another old root to the very root that was signed.
    expect(verifyConsistency(sha256, await rewritten.checkpoint(700), now, proof)).toEqual({ ok: true })
    expect(verifyConsistency(sha256, await log.checkpoint(700), now, proof).ok).toBe(false)
  })

  test('notices a log that was rolled back, or shows only a part', async () => {
    await look()
    await show(log, 500)
    expect(await look()).toMatchObject({ code: 1, stdout: expect.stringContaining('shows only 500') })
    expect(await evidence()).toMatchObject({ second: site.note })
  })

  test('takes a checkpoint that a cache held for a moment for what it is', async () => {
    await look()
    const newest = site.note
    await show(log, 500)
    site.meddle = () => {
      if (site.asked.filter((path) => path === 'checkpoint').length > 2) site.note = newest
      return undefined
    }
    expect(await look()).toMatchObject({ code: 0 })
  })

  test('believes no signature that it cannot check', async () => {
    const good = site.note
    site.note = good.replace(/(— witness.{40}).{8}/, '$1AAAAAAAA')
    expect(await look()).toMatchObject({ code: 1, stdout: expect.stringContaining('bad-signature') })
    site.note = good.replace(/(— receipts.{40}).{8}/, '$1AAAAAAAA')
    expect(await look()).toMatchObject({ code: 1, stdout: expect.stringContaining('bad-signature') })
    site.note = await new SignedLog(8).append(700).noteText()
    expect(await look()).toMatchObject({ code: 2, stdout: expect.stringContaining('no-log-signature') })
    site.note = await new SignedLog(7, 'another.example/log').append(700).noteText()
    expect(await look()).toMatchObject({ code: 2, stdout: expect.stringContaining('unknown-origin') })
    site.note = '<html>'
    expect(await look()).toMatchObject({ code: 2 })
    expect(await readdir(directory)).not.toContain(`${round}-state`)
  })

  test('takes another log of the policy for another log, and does not convict the one by the other', async () => {
    await look()
    const second = new SignedLog(9, 'receipts.example/log2').append(800)
    const policy = await readFile(at('policy'), 'utf8')
    await writeFile(at('policy'), `log ${second.keyText}\n${policy}`)
    await show(second)
    const { code, stdout } = await look()
    expect(code).toBe(2)
    expect(stdout).toContain("'receipts.example/log1' and 'receipts.example/log2' are two logs")
    await show(new SignedLog().append(800))
    expect(await look()).toMatchObject({ code: 0 })
  })

  test("holds the log against another auditor's checkpoint, or the state of their monitor", async () => {
    await look()
    const grown = new SignedLog().append(700).append(100)
    await show(grown)
    expect(await look('--compare', at('state'))).toMatchObject({ code: 0 })
    const forked = new SignedLog().append(600).append(150, 'another')
    await writeFile(at('theirs'), await forked.noteText())
    expect(await look('--compare', at('theirs'))).toMatchObject({ code: 1 })
    expect(await evidence()).toMatchObject({ first: await forked.noteText(), second: site.note })
    // A stranger's note proves nothing.
    await writeFile(at('theirs'), await new SignedLog(8).append(800).noteText())
    expect(await look('--compare', at('theirs'))).toMatchObject({ code: 2 })
  })
})

describe('monitor --full', () => {
  test('derives every tile from the entries, and goes on where it was interrupted', async () => {
    log = new SignedLog().append(18_000)
    await show()
    site.meddle = (path) => (path === 'tile/entries/066' ? { status: 404 } : undefined)
    expect(await look('--full')).toMatchObject({ code: 2, stdout: expect.stringContaining('tile/entries/066') })
    site.meddle = () => undefined
    site.asked.length = 0
    const done = await look('--full', '--json')
    expect(JSON.parse(done.stdout)).toMatchObject({ verdict: 'good', derived_size: 18_000 })
    expect(site.asked).toContain('tile/entries/064')
    expect(site.asked).not.toContain('tile/entries/063')
    // The tiles above the leaves were looked at, too.
    expect(site.asked).toContain('tile/1/000.p/70')
  })

  const FAULTS: readonly (readonly [string, string, (bytes: Uint8Array) => Uint8Array])[] = [
    ['an entry that was changed', 'tile/entries/001', (bytes) => flipped(bytes, 40)],
    ['a bundle that says too much', 'tile/entries/001', (bytes) => Buffer.concat([bytes, Buffer.alloc(34)])],
    ['a tile that its entries do not give', 'tile/0/001', (bytes) => flipped(bytes, 40)],
    ['a tile above them', 'tile/1/000.p/2', (bytes) => flipped(bytes, 40)],
  ]
  test.each(FAULTS)('finds %s', async (_what, name, change) => {
    expect(await look()).toMatchObject({ code: 0 })
    const served = Buffer.from(await (await fetch(`${site.url}/log/${name}`)).arrayBuffer())
    site.meddle = (path) => (path === name ? { status: 200, body: change(served) } : undefined)
    expect(await look('--full')).toMatchObject({ code: 1, stdout: expect.stringContaining('tile/') })
    site.meddle = () => undefined
    expect(await look('--full')).toMatchObject({ code: 0 })
  })

  test('finds entries that lead to another root than was signed', async () => {
    const other = new SignedLog().append(699).append(1, 'another')
    expect(await look()).toMatchObject({ code: 0 })
    site.log = other
    expect(await look('--full')).toMatchObject({ code: 1, stdout: expect.stringContaining('do not lead to the root') })
  })

  test('takes the beginning of a full tile where the partial one is not served any more', async () => {
    log.append(100)
    site.meddle = (path) => {
      const match = /^(tile\/(?:entries|0)\/002)\.p\/188$/.exec(path)
      if (match !== null) return { status: 404 }
      return undefined
    }
    expect(await look()).toMatchObject({ code: 0 })
  })
})

describe('monitor decides nothing', () => {
  test('if the log is away, sends elsewhere, or sends without end', async () => {
    site.meddle = () => ({ status: 302, headers: { location: `${site.url}/elsewhere` } })
    expect(await look()).toMatchObject({ code: 2 })
    expect(site.asked).not.toContain('/elsewhere')
    site.meddle = () => ({ status: 200, body: 'x'.repeat(300_000) })
    expect(await look()).toMatchObject({ code: 2, stdout: expect.stringContaining('larger than') })
    site.meddle = () => ({ status: 503 })
    expect(await look()).toMatchObject({ code: 2, stdout: expect.stringContaining('503') })
    await site.close()
    expect(await look()).toMatchObject({ code: 2, stdout: expect.stringContaining('ECONNREFUSED') })
  })

  test('with wrong usage: 64, and nothing is written', async () => {
    const usage = async (...args: readonly string[]) =>
      expect(await runCommand(['monitor', ...args])).toMatchObject({ code: 64 })
    await usage(site.url, '--state', at('state'))
    await usage('ftp://log.example', '--policy', at('policy'), '--state', at('state'))
    await usage(site.url, '--policy', at('none'), '--state', at('state'))
    await usage(site.url, '--policy', at('policy'), '--state', at('state'), '--every', '0s')
    await usage(site.url, '--policy', at('policy'), '--state', at('state'), '--compare', at('none'))
    expect(await readdir(directory)).not.toContain(`${round}-state`)
    for (const line of ['derived 255', 'derived 256', 'derived 0 AAAA', 'derived 65536 - -', 'derived x', 'size 0']) {
      await writeFile(at('state'), `llmring-monitor-state/v1\n${line}\n\n`)
      await usage(site.url, '--policy', at('policy'), '--state', at('state'))
    }
    await writeFile(at('policy'), 'quorum both\n')
    await usage(site.url, '--policy', at('policy'), '--state', at('new'))
  })
})
