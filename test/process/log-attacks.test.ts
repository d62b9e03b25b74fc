import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatNote, parseNote, parseSignatureLines } from '../../src/core/tlog/index.js'
import { type LogSite, openLogSite } from '../support/log-site.js'
import { type Ended, runProgram, stopProgram, temporaryDirectory } from '../support/program.js'
import { SignedLog } from '../support/signed-log.js'
import { type RunningWitness, startWitness, submit } from '../support/witness-program.js'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let witness: RunningWitness
let site: LogSite

beforeAll(async () => {
  directory = await temporaryDirectory()
  witness = await startWitness(directory.path, ['--state', 'witness', '--log', new SignedLog().keyText])
  const policy = `log ${new SignedLog().keyText}\nwitness w ${witness.keyText} ${witness.url}\nquorum w\n`
  await writeFile(join(directory.path, 'policy'), policy)
})
afterAll(async () => {
  await stopProgram(witness, 'SIGKILL')
  await directory.remove()
})
beforeEach(async () => {
  site = await openLogSite(new SignedLog(), '')
})
afterEach(() => site.close())

const monitor = (auditor: string, ...more: readonly string[]): Promise<Ended> =>
  runProgram(['monitor', site.url, '--policy', 'policy', '--state', auditor, '--json', ...more], directory.path)

/** A checkpoint with what the witness says to it: nothing, if it refuses. */
async function witnessed(log: SignedLog, from: number): Promise<string> {
  const note = await log.note()
  const { status, text } = await submit(witness.url, await log.submission(from))
  const lines = status === 200 ? parseSignatureLines(text) : null
  const added = lines?.ok ? lines.signatures : []
  return Buffer.from(formatNote({ ...note, signatures: [...note.signatures, ...added] })).toString()
}

function show(log: SignedLog, note: string): void {
  site.log = log
  site.note = note
}

/** The two notes of the evidence that a monitor found. */
async function evidenceOf({ stdout }: Ended): Promise<readonly string[]> {
  const { verdict, evidence } = JSON.parse(stdout)
  expect(verdict).toBe('bad')
  const { first, second } = JSON.parse(await readFile(join(directory.path, evidence), 'utf8'))
  for (const note of [first, second]) expect(parseNote(Buffer.from(note)).ok).toBe(true)
  return [first, second]
}

describe('an operator with the key of the log', () => {
  const honest = new SignedLog().append(300)
  const forked = new SignedLog().append(200).append(150, 'rewritten')

  it('cannot show two trees to two auditors: one of them is not witnessed, and together they have the evidence', async () => {
    show(honest, await witnessed(honest, 0))
    expect(await monitor('alice')).toMatchObject({ code: 0 })
    show(forked, await witnessed(forked, 300))
    // Bob sees a log that is consistent in itself: nobody else has seen it.
    const bob = await monitor('bob')
    expect(bob).toMatchObject({ code: 3 })
    expect(JSON.parse(bob.stdout)).toMatchObject({
      verdict: 'unwitnessed',
      size: 350,
      witnesses: [],
      quorum_met: false,
    })
    const met = await monitor('bob', '--compare', 'alice')
    expect(met.code).toBe(1)
    const [alices, bobs] = await evidenceOf(met)
    expect(alices).toContain('\n300\n')
    expect(bobs).toBe(site.note)
  })

  it('cannot rewrite what one auditor has seen, whatever the witness is told', async () => {
    show(forked, await forked.noteText())
    const found = await monitor('alice', '--full')
    expect(found.code).toBe(1)
    expect((await evidenceOf(found))[1]).toBe(site.note)
    // The honest log can still go on.
    const grown = new SignedLog().append(300).append(100)
    show(grown, await witnessed(grown, 300))
    expect(await monitor('alice', '--full')).toMatchObject({ code: 0 })
  })

  it('cannot go back to an older tree, nor show only a part of a log that it signed', async () => {
    const part = new SignedLog().append(250)
    show(part, await part.noteText())
    const found = await monitor('alice')
    expect(found.code).toBe(1)
    expect(JSON.parse(found.stdout).why).toContain('shows only 250')
    // Nor can a part be shown as the whole to who asks for every entry.
    const whole = new SignedLog().append(400)
    show(part, await whole.noteText())
    expect(await monitor('carol', '--full')).toMatchObject({ code: 2 })
  })
})
