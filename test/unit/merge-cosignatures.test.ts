import { describe, expect, test } from 'vitest'
import { formatNote, type Note, type NoteKey, parseNote, parseNoteKey, verifyNote } from '../../src/core/tlog/index.js'
import { mergeCosignatures } from '../../src/features/transparency/witness/merge-cosignatures.js'
import { cosignerOf, SignedLog } from '../support/signed-log.js'
import { nodeVerifier } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const log = new SignedLog().append(5)
const cosigners = [cosignerOf(31), cosignerOf(32), cosignerOf(33)] as const
const textOf = (note: Note): string => Buffer.from(formatNote(note)).toString()

function keyOf({ keyText }: { readonly keyText: string }): NoteKey {
  const parsed = parseNoteKey(sha256, keyText)
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.key
}

const keys = cosigners.map(keyOf)
/** The line alone that a cosigner adds. */
const lineOf = (note: Note, at: 0 | 1 | 2, time?: number) => cosigners[at].cosign(note, time).signatures.slice(-1)

function opened(text: string): Note {
  const parsed = parseNote(Buffer.from(text))
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.note
}

describe('cosignatures that are merged into a note', () => {
  test('stand behind the signature of the log, and all of them hold', async () => {
    const note = await log.note()
    const first = mergeCosignatures(textOf(note), lineOf(note, 0), keys)
    const second = mergeCosignatures(first.note, lineOf(note, 1), keys)
    expect([first.witnesses, second.witnesses]).toEqual([1, 2])
    const { signatures, text } = opened(second.note)
    expect(text).toBe(note.text)
    expect(signatures.map(({ name }) => name)).toEqual([log.key.name, 'witness.example/w31', 'witness.example/w32'])
    const verdict = await verifyNote(nodeVerifier(), [log.key, ...keys], opened(second.note))
    expect(verdict).toMatchObject({ ok: true, endorsements: [{ time: null }, { time: 1_700_000_000 }, {}] })
  })

  test('take the place of an earlier one of the same witness, so that a note never outgrows its limit', async () => {
    const note = await log.note()
    let merged = mergeCosignatures(textOf(note), lineOf(note, 0), keys)
    for (let time = 1_700_000_001; time < 1_700_000_101; time += 1) {
      merged = mergeCosignatures(merged.note, lineOf(note, 0, time), keys)
    }
    expect(merged.witnesses).toBe(1)
    const { signatures } = opened(merged.note)
    expect(signatures).toHaveLength(2)
    const verdict = await verifyNote(nodeVerifier(), keys, opened(merged.note))
    expect(verdict).toMatchObject({ ok: true, endorsements: [{ time: 1_700_000_100 }] })
  })

  test('are counted by the witnesses of the policy: nobody else counts, and nobody counts twice', async () => {
    const note = await log.note()
    const stranger = lineOf(note, 2)
    const merged = mergeCosignatures(textOf(note), [...lineOf(note, 0), ...stranger], keys.slice(0, 2))
    expect(merged.witnesses).toBe(1)
    expect(opened(merged.note).signatures).toHaveLength(3)
    // A key of the same name is another one.
    const namesake = cosignerOf(40, 'witness.example/w32').cosign(note).signatures.slice(-1)
    expect(mergeCosignatures(merged.note, namesake, keys.slice(0, 2)).witnesses).toBe(1)
  })
})
