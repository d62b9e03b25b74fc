import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatNote,
  formatWitnessSubmission,
  noteBytesMax,
  parseWitnessSubmission,
  witnessSubmissionBytesMax,
} from '../../src/core/tlog/index.js'
import { SignedLog } from '../support/signed-log.js'
import { sha256 } from './tlog-trees.js'

const log = new SignedLog().append(9)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = async (from: number, to: number): Promise<string> =>
  Buffer.from(await log.submission(from, to)).toString()

function reasonOf(text: string | Uint8Array): string {
  const parsed = parseWitnessSubmission(typeof text === 'string' ? bytes(text) : text)
  return parsed.ok ? 'ok' : parsed.reason
}

describe('a submission to a witness', () => {
  test('is the size before, the proof, an empty line and the checkpoint', async () => {
    const proof = (await log.proof(5, 9)).map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
    expect(await textOf(5, 9)).toBe(`old 5\n${proof.join('')}\n${await log.noteText(9)}`)
    expect(await textOf(0, 9)).toBe(`old 0\n\n${await log.noteText(9)}`)
  })

  test('is read as it was written, whatever sizes and hashes it has', async () => {
    const checkpoint = await log.note()
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    await fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(hash, { maxLength: 63 }), (oldSize, proof) => {
        const parsed = parseWitnessSubmission(formatWitnessSubmission({ oldSize, proof, checkpoint }))
        if (!parsed.ok) throw new Error(parsed.reason)
        const { submission } = parsed
        const hex = (hashes: readonly Uint8Array[]) => hashes.map((one) => Buffer.from(one).toString('hex'))
        expect({ ...submission, proof: hex(submission.proof) }).toEqual({ oldSize, proof: hex(proof), checkpoint })
      }),
      { numRuns: 100 },
    )
  })

  test('has one spelling: what can be read is written back the same, and no change of a byte throws', async () => {
    const whole = await log.submission(5, 9)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = Uint8Array.from(whole)
        changed[at] = byte
        const parsed = parseWitnessSubmission(changed)
        if (parsed.ok) expect(Buffer.from(formatWitnessSubmission(parsed.submission))).toEqual(Buffer.from(changed))
      }),
      { numRuns: 2_000 },
    )
    for (let length = 0; length < whole.length; length += 1) {
      // Cut off, it is refused: the last signature line ends with a line feed.
      expect(reasonOf(whole.subarray(0, length))).not.toBe('ok')
    }
  })

  test('is refused with a reason for each way in which it can be wrong', async () => {
    const whole = await textOf(5, 9)
    const hash = Buffer.from(sha256(bytes('x'))).toString('base64')
    const note = await log.noteText()
    const cases: readonly (readonly [string, string])[] = [
      ['', 'not-a-submission'],
      ['old 5\n', 'not-a-submission'],
      [whole.replace('old 5', 'new 5'), 'bad-old-size'],
      [whole.replace('old 5', 'old  5'), 'bad-old-size'],
      [whole.replace('old 5', 'old 05'), 'bad-old-size'],
      [whole.replace('old 5', 'old +5'), 'bad-old-size'],
      [whole.replace('old 5', 'old -5'), 'bad-old-size'],
      [whole.replace('old 5', 'old 5.0'), 'bad-old-size'],
      [whole.replace('old 5', 'old 9007199254740992'), 'bad-old-size'],
      [`\n${whole}`, 'bad-old-size'],
      [`old 5\n${hash.slice(0, -1)}\n\n${note}`, 'bad-hash'],
      [`old 5\n${hash} \n\n${note}`, 'bad-hash'],
      [`old 5\n${Buffer.alloc(31).toString('base64')}\n\n${note}`, 'bad-hash'],
      [`old 5\n${`${hash}\n`.repeat(64)}\n${note}`, 'too-many-hashes'],
      [whole.replaceAll('\n', '\r\n'), 'control-character'],
      [`old 5\n\n${note.slice(0, note.lastIndexOf('—'))}`, 'no-signatures'],
      [`old 5\n\n${note}\n`, 'no-signatures'],
      [`old 5\n\n${note}x`, 'bad-signature-line'],
      [`old 5\n\n${note}${note.slice(note.indexOf('—')).repeat(64)}`, 'too-many-signatures'],
    ]
    for (const [text, reason] of cases) expect([text.slice(0, 80), reasonOf(text)]).toEqual([text.slice(0, 80), reason])
    expect(reasonOf(`old 5\n${`${hash}\n`.repeat(63)}\n${note}`)).toBe('ok')
    expect(reasonOf(Uint8Array.of(0xff, ...bytes(whole)))).toBe('not-utf8')
  })

  test('is not looked at if it is larger than any can be, and 10,000 signatures are too many', async () => {
    expect(reasonOf(new Uint8Array(witnessSubmissionBytesMax + 1))).toBe('too-large')
    const { text, signatures } = await log.note()
    const many = formatNote({ text, signatures: Array.from({ length: 10_000 }, () => signatures[0] as never) })
    expect(many.length).toBeGreaterThan(noteBytesMax)
    expect(reasonOf(Buffer.concat([bytes('old 0\n\n'), many]))).toBe('too-large')
    const proof = Array.from({ length: 63 }, () => new Uint8Array(32))
    const largest = formatWitnessSubmission({
      oldSize: Number.MAX_SAFE_INTEGER,
      proof,
      checkpoint: { text, signatures },
    })
    expect(largest.length - formatNote({ text, signatures }).length).toBeLessThan(
      witnessSubmissionBytesMax - noteBytesMax,
    )
  })
})
