import { describe, expect, test } from 'vitest'
import { LOW_ORDER_ENCODINGS } from '../../src/core/ed25519/low-order-encodings.js'
import {
  cosignNote,
  formatCheckpoint,
  formatLogProof,
  formatNote,
  formatNoteKey,
  formatSignatureLines,
  isQuorumMet,
  type LogProof,
  logProofBytesMax,
  makeInclusionProof,
  makeNoteKey,
  type Note,
  type NoteKey,
  noteBytesMax,
  openCheckpoint,
  type Policy,
  parseCheckpoint,
  parseLogProof,
  parseNote,
  parseNoteKey,
  parseSignatureLines,
  rootOfEdge,
  signNote,
  verifyLogProof,
  verifyNote,
} from '../../src/core/tlog/index.js'
import { nodeVerifier, portableVerifier, signerOf, signerOfByte } from './proof-fixtures.js'
import { flipped, StoredTree, sha256 } from './tlog-trees.js'

// The worked vector: seeds 00 01 … 1f and ff fe … e0, entries "a" "b" "c", cosigned at 1700000000.
const ORIGIN = 'receipts.example/log1'
const LOG_KEY = 'receipts.example/log1+937a8fbe+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
const WITNESS_KEY = 'witness.example/w1+c9cb6cd1+BLr8cb6tOsXktj6cghbucaNKrsZXIu7bynKLTps8zOOW'
const BODY = 'receipts.example/log1\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n'
const LOG_LINE =
  '— receipts.example/log1 k3qPvv2JSzjGsaxjrSY/8jVi1/vqLmOSHskhv+sVXGP1SaO6w0b1moomSWZSnJ3xNN51m5o4istlYG5nAjuPf86h6gA=\n'
const WITNESS_LINE =
  '— witness.example/w1 ycts0QAAAABlU/EAVamU1RyjSEzVV54Pwg9mxaNmO3jzR5DguxvhNU76f8c/S9qGOsca0VVNv4MSfiUQxIwchLNgr8Ev6/+Nkr6vBg==\n'
const VECTOR = `${BODY}\n${LOG_LINE}${WITNESS_LINE}`

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (read: Uint8Array): string => new TextDecoder().decode(read)
const logSigner = signerOf(Uint8Array.from({ length: 32 }, (_, at) => at))
const witnessSigner = signerOf(Uint8Array.from({ length: 32 }, (_, at) => 255 - at))
const logKey = makeNoteKey(sha256, ORIGIN, 'note', logSigner.key)
const witnessKey = makeNoteKey(sha256, 'witness.example/w1', 'cosignature', witnessSigner.key)
const keys = { logs: [logKey], witnesses: [witnessKey] }
const policy: Policy = {
  logs: [{ key: logKey, url: null }],
  witnesses: [{ name: 'w', key: witnessKey, url: null }],
  groups: [],
  quorum: 'w',
}
const deps = { ...nodeVerifier(), sha256 }
const tree = new StoredTree()
tree.appendEntries(['a', 'b', 'c'].map(bytes))

function noteOf(text: string): Note {
  const read = parseNote(bytes(text))
  if (!read.ok) throw new Error(read.reason)
  return read.note
}

async function proofOf(index: number): Promise<LogProof> {
  const made = await makeInclusionProof(tree.deps, index, 3)
  if (!made.ok) throw new Error(made.reason)
  return { extra: null, index, proof: made.proof, checkpoint: noteOf(VECTOR) }
}

describe('the worked vector', () => {
  test('is made byte for byte from its seeds and entries', () => {
    expect(formatNoteKey(logKey)).toBe(LOG_KEY)
    expect(formatNoteKey(witnessKey)).toBe(WITNESS_KEY)
    const text = formatCheckpoint({ origin: ORIGIN, size: 3, root: rootOfEdge(sha256, tree.edge) })
    expect(text).toBe(BODY)
    const signatures = [
      signNote({ key: logKey, sign: logSigner.sign }, text),
      cosignNote({ key: witnessKey, sign: witnessSigner.sign }, text, 1_700_000_000),
    ]
    expect(textOf(formatNote({ text, signatures }))).toBe(VECTOR)
    expect(formatSignatureLines(signatures)).toBe(LOG_LINE + WITNESS_LINE)
    expect(parseSignatureLines(LOG_LINE + WITNESS_LINE)).toEqual({ ok: true, signatures })
  })

  test.each([
    ['node:crypto', nodeVerifier()],
    ['the portable verifier', portableVerifier()],
  ])('is read and verified by %s', async (_, verifier) => {
    expect(parseNoteKey(sha256, LOG_KEY)).toEqual({ ok: true, key: logKey })
    expect(parseNoteKey(sha256, WITNESS_KEY)).toEqual({ ok: true, key: witnessKey })
    expect(await openCheckpoint(verifier, keys, noteOf(VECTOR))).toEqual({
      ok: true,
      checkpoint: { origin: ORIGIN, size: 3, root: rootOfEdge(sha256, tree.edge) },
      log: logKey,
      cosignatures: [{ key: witnessKey, time: 1_700_000_000 }],
    })
  })

  test('proves each of its entries, and no entry with any byte of the file changed', async () => {
    for (const [index, entry] of ['a', 'b', 'c'].map(bytes).entries()) {
      const file = formatLogProof(await proofOf(index))
      const read = parseLogProof(file)
      if (!read.ok) throw new Error(read.reason)
      expect(read.logProof).toEqual(await proofOf(index))
      expect(await verifyLogProof(deps, policy, entry, read.logProof)).toMatchObject({ ok: true, quorumMet: true })
      expect(await verifyLogProof(deps, policy, bytes('d'), read.logProof)).toMatchObject({ reason: 'root-mismatch' })
      for (let at = 0; at < file.length; at += 1) {
        for (const bits of [1, 0x20, 0x80]) {
          const changed = parseLogProof(flipped(file, at, bits))
          const verdict = changed.ok ? await verifyLogProof(deps, policy, entry, changed.logProof) : changed
          expect(verdict.ok && 'quorumMet' in verdict && verdict.quorumMet, `byte ${at} ^ ${bits}`).toBe(false)
        }
      }
    }
  })

  test('is refused cut anywhere, and with a byte more anywhere', async () => {
    const file = formatLogProof(await proofOf(1))
    for (let at = 0; at < file.length; at += 1) {
      const cut = parseLogProof(file.subarray(0, at))
      const verdict = cut.ok ? await verifyLogProof(deps, policy, bytes('b'), cut.logProof) : cut
      expect(verdict.ok && 'quorumMet' in verdict && verdict.quorumMet).toBe(false)
      for (const byte of [0x0a, 0x20, 0x30, 0x3d]) {
        const longer = parseLogProof(Uint8Array.from([...file.subarray(0, at), byte, ...file.subarray(at)]))
        const other = longer.ok ? await verifyLogProof(deps, policy, bytes('b'), longer.logProof) : longer
        expect(other.ok && 'quorumMet' in other && other.quorumMet).toBe(false)
      }
    }
  })
})

describe('a checkpoint', () => {
  const other = signerOfByte(7)
  const open = (text: string, known = keys) => openCheckpoint(deps, known, noteOf(text))
  const signedAs = (key: NoteKey, text: string) => formatSignatureLines([signNote({ key, sign: other.sign }, text)])

  test('is of no log that one knows if its origin is another one', async () => {
    const text = BODY.replace('log1', 'log2')
    const key = makeNoteKey(sha256, 'receipts.example/log2', 'note', other.key)
    expect(await open(`${text}\n${signedAs(key, text)}`)).toEqual({ ok: false, reason: 'unknown-origin' })
    const both = { ...keys, logs: [logKey, key] }
    expect(await open(`${text}\n${signedAs(key, text)}`, both)).toMatchObject({ ok: true, log: key })
    // The second log signs for the first one.
    expect(await open(`${BODY}\n${signedAs(key, BODY)}`, both)).toEqual({ ok: false, reason: 'no-log-signature' })
    // A key for cosignatures is no log's, whatever it is called.
    const cosigner = makeNoteKey(sha256, ORIGIN, 'cosignature', other.key)
    const alone = { ...keys, logs: [cosigner] }
    expect(await open(`${BODY}\n${LOG_LINE}`, alone)).toEqual({ ok: false, reason: 'unknown-origin' })
  })

  test('needs the signature of its log: a cosignature is none, and another key of that name is unknown', async () => {
    expect(await open(`${BODY}\n${WITNESS_LINE}`)).toEqual({ ok: false, reason: 'no-log-signature' })
    const key = makeNoteKey(sha256, ORIGIN, 'note', other.key)
    expect(await open(`${BODY}\n${signedAs(key, BODY)}`)).toEqual({ ok: false, reason: 'no-log-signature' })
    const added = await open(`${VECTOR}${signedAs(key, BODY)}`)
    expect(added).toMatchObject({ ok: true, cosignatures: [{ key: witnessKey }] })
  })

  test('is not signed by its log because a witness signed it as notes are signed', async () => {
    const key = makeNoteKey(sha256, 'witness.example/w1', 'note', other.key)
    const signed = `${BODY}\n${signedAs(key, BODY)}`
    expect(await open(signed, { logs: [logKey], witnesses: [key] })).toEqual({ ok: false, reason: 'no-log-signature' })
  })

  test('is refused if a signature of a known key is bad, however many others are good', async () => {
    const forged = formatSignatureLines([{ ...signNote({ key: logKey, sign: other.sign }, BODY) }])
    const refused = { ok: false, reason: 'bad-signature', name: ORIGIN, fault: 'signature-mismatch' }
    expect(await open(`${VECTOR}${forged}`)).toEqual(refused)
    const late = cosignNote({ key: witnessKey, sign: witnessSigner.sign }, BODY, 1)
    const short = { ...late, signature: late.signature.subarray(1) }
    expect(await open(`${VECTOR}${formatSignatureLines([short])}`)).toMatchObject({ fault: 'bad-cosignature' })
    const far = Uint8Array.from([0, 0x20, ...late.signature.subarray(2)])
    const beyond = formatSignatureLines([{ ...late, signature: far }])
    expect(await open(`${VECTOR}${beyond}`)).toMatchObject({ fault: 'bad-cosignature' })
  })

  test('is refused with a signature on which libraries disagree', async () => {
    const [line] = noteOf(VECTOR).signatures
    if (line === undefined) throw new Error('no signature')
    const withS = (s: bigint): Uint8Array => {
      const hex = s.toString(16).padStart(64, '0')
      return Uint8Array.from([...line.signature.subarray(0, 32), ...Buffer.from(hex, 'hex').reverse()])
    }
    const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
    const s = BigInt(`0x${Buffer.from(line.signature.subarray(32)).reverse().toString('hex')}`)
    const judge = (signature: Uint8Array) =>
      verifyNote(deps, [logKey], { text: BODY, signatures: [{ ...line, signature }] })
    expect(await judge(withS(s))).toMatchObject({ ok: true })
    expect(await judge(withS(s + order))).toMatchObject({ ok: false, fault: 's-out-of-range' })
    for (const point of LOW_ORDER_ENCODINGS) {
      expect(await judge(Uint8Array.from([...point, ...line.signature.subarray(32)]))).toMatchObject({
        fault: 'low-order-r',
      })
    }
    expect(await judge(line.signature.subarray(1))).toMatchObject({ fault: 'wrong-length' })
  })

  const BODIES: readonly (readonly [string, string])[] = [
    ['not-three-lines', ''],
    ['not-three-lines', BODY.slice(0, -1)],
    ['not-three-lines', `${BODY}extension\n`],
    ['not-three-lines', `${BODY}\n`],
    ['bad-origin', BODY.replace(ORIGIN, '')],
    ['bad-origin', BODY.replace(ORIGIN, 'a b')],
    ['bad-origin', BODY.replace(ORIGIN, 'a+b')],
    ['bad-origin', BODY.replace(ORIGIN, 'x'.repeat(256))],
    ...['', '03', '+3', '-3', '3.0', '3e0', ' 3', '٣', '9007199254740992', '1'.repeat(1_000)].map(
      (size) => ['bad-tree-size', BODY.replace('\n3\n', `\n${size}\n`)] as const,
    ),
    ['bad-root', BODY.replace('sE=', 'sF=')],
    ['bad-root', BODY.replace('sE=', 'sE')],
    ['bad-root', BODY.replace('a/l', 'a_l')],
    ['bad-root', BODY.replace('NmQu', '')],
    ['bad-root', BODY.replace('NmQu', 'NmQuNmQu')],
  ]
  test.each(BODIES)('is refused as %s: %j', (reason, text) => {
    expect(parseCheckpoint(text)).toEqual({ ok: false, reason })
  })

  test('may count up to 2^53 - 1 leaves', () => {
    const text = BODY.replace('\n3\n', '\n9007199254740991\n')
    expect(parseCheckpoint(text)).toMatchObject({ ok: true, checkpoint: { size: Number.MAX_SAFE_INTEGER } })
  })
})

describe('a note', () => {
  const NOTES: readonly (readonly [string, string])[] = [
    ['no-signatures', ''],
    ['no-signatures', BODY],
    ['no-signatures', `${BODY}\n`],
    ['bad-signature-line', VECTOR.slice(0, -1)],
    ['no-signatures', `${VECTOR}\n`],
    ['control-character', VECTOR.replaceAll('\n', '\r\n')],
    ['control-character', VECTOR.replace('3', '3\0')],
    ['bad-signature-line', VECTOR.replace('— receipts', '- receipts')],
    ['bad-signature-line', VECTOR.replace('— receipts', '—  receipts')],
    ['bad-signature-line', VECTOR.replace('— receipts', '—\u00a0receipts')],
    ['bad-signature-line', VECTOR.replace('— receipts', '— re+ceipts')],
    ['bad-signature-line', VECTOR.replace('6gA=', '6gA= ')],
    ['bad-signature-line', VECTOR.replace('6gA=', '6gA')],
    ['bad-signature-line', VECTOR.replace('6gA=', '6gB=')],
    ['bad-signature-line', `${VECTOR}— a AAAAAA==\n`],
    ['too-many-signatures', VECTOR + LOG_LINE.repeat(63)],
    ['too-many-signatures', VECTOR + '— a AAAAAAA=\n'.repeat(10_000)],
    ['too-large', VECTOR + LOG_LINE.repeat(10_000)],
    ['too-large', 'x'.repeat(noteBytesMax + 1)],
  ]
  test.each(NOTES.map(([reason, text]) => [reason, text.slice(-50), text]))(
    'is refused as %s: …%j',
    (reason, _, text) => {
      expect(parseNote(bytes(text))).toEqual({ ok: false, reason })
    },
  )

  test('of 64 signatures is read, and so is a text with empty lines', () => {
    const note = noteOf(`first\n\n\nlast\n\n${LOG_LINE.repeat(64)}`)
    expect(note.text).toBe('first\n\n\nlast\n')
    expect(note.signatures).toHaveLength(64)
    expect(textOf(formatNote(note))).toBe(`first\n\n\nlast\n\n${LOG_LINE.repeat(64)}`)
  })

  test('is refused if it is no UTF-8, and a byte order mark is part of its text', () => {
    expect(parseNote(Uint8Array.from([0xff, ...bytes(VECTOR)]))).toEqual({ ok: false, reason: 'not-utf8' })
    const marked = Uint8Array.from([0xef, 0xbb, 0xbf, ...bytes(VECTOR)])
    const read = parseNote(marked)
    expect(read.ok && formatNote(read.note)).toEqual(marked)
  })

  test('is signed by keys of its own kind only', () => {
    expect(() => signNote({ key: witnessKey, sign: witnessSigner.sign }, BODY)).toThrow('cosignatures')
    expect(() => cosignNote({ key: logKey, sign: logSigner.sign }, BODY, 1)).toThrow('notes')
    expect(() => signNote({ key: logKey, sign: logSigner.sign }, 'x')).toThrow('line feed')
    expect(() => cosignNote({ key: witnessKey, sign: witnessSigner.sign }, BODY, 1.5)).toThrow(RangeError)
    expect(() => makeNoteKey(sha256, 'a b', 'note', logSigner.key)).toThrow(RangeError)
  })
})

describe('a verifier key', () => {
  const KEYS: readonly (readonly [string, string])[] = [
    ['not-a-key', ''],
    ['not-a-key', LOG_KEY.replace('937a8fbe', '937A8FBE')],
    ['not-a-key', LOG_KEY.replace('937a8fbe', '937a8fb')],
    ['not-a-key', `${LOG_KEY}\n`],
    ['not-a-key', `${LOG_KEY}=`],
    ['not-a-key', LOG_KEY.replace('7/z', '7_z')],
    ['not-a-key', 'x'.repeat(100_000)],
    ['bad-name', LOG_KEY.replace(ORIGIN, '')],
    ['bad-name', LOG_KEY.replace(ORIGIN, 'a b')],
    ['wrong-key-id', LOG_KEY.replace('937a8fbe', '937a8fbf')],
    ['wrong-key-id', LOG_KEY.replace('log1', 'log2')],
    ['wrong-key-id', LOG_KEY.replace('+AQOh', '+BAOh')],
    ['unsupported-type', LOG_KEY.replace('+AQOh', '+AgOh')],
    ['bad-public-key', LOG_KEY.slice(0, -4)],
    ['bad-public-key', `a+00000000+AQ${'A'.repeat(42)}`],
  ]
  test.each(KEYS.map(([reason, text]) => [reason, text.slice(0, 80), text]))(
    'is refused as %s: %j',
    (reason, _, text) => {
      expect(parseNoteKey(sha256, text)).toEqual({ ok: false, reason })
    },
  )
})

describe('a proof file', () => {
  const HASH = `${'A'.repeat(43)}=`
  const FILES: readonly (readonly [string, string])[] = [
    ['not-a-log-proof', ''],
    ['not-a-log-proof', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['not-a-log-proof', `c2sp.org/tlog-proof@v2\nindex 0\n\n${VECTOR}`],
    ['bad-index', `c2sp.org/tlog-proof@v1\n\n${VECTOR}`],
    ['bad-index', `c2sp.org/tlog-proof@v1\nindex 00\n\n${VECTOR}`],
    ['bad-index', `c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\n${VECTOR}`],
    ['bad-index', `c2sp.org/tlog-proof@v1\nIndex 0\n\n${VECTOR}`],
    ['bad-extra', `c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n${VECTOR}`],
    ['bad-extra', `c2sp.org/tlog-proof@v1\nextra AA\nindex 0\n\n${VECTOR}`],
    ['bad-extra', `c2sp.org/tlog-proof@v1\nextra ${'A'.repeat(90_000)}\nindex 0\n\n${VECTOR}`],
    ['bad-hash', `c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n${VECTOR}`],
    ['bad-hash', `c2sp.org/tlog-proof@v1\nindex 0\n${HASH} \n\n${VECTOR}`],
    ['too-many-hashes', `c2sp.org/tlog-proof@v1\nindex 0\n${`${HASH}\n`.repeat(64)}\n${VECTOR}`],
    ['too-many-hashes', `c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n${`${HASH}\n`.repeat(5_000)}\n${VECTOR}`],
    ['no-signatures', `c2sp.org/tlog-proof@v1\nindex 0\n\n${BODY}`],
    ['too-large', 'x'.repeat(logProofBytesMax + 1)],
  ]
  test.each(FILES.map(([reason, text]) => [reason, text.slice(0, 60), text]))(
    'is refused as %s: %j',
    (reason, _, text) => {
      expect(parseLogProof(bytes(text))).toEqual({ ok: false, reason })
    },
  )

  test('carries extra data and up to 63 hashes', () => {
    const proof = Array.from({ length: 63 }, (_, at) => new Uint8Array(32).fill(at))
    const whole: LogProof = { extra: bytes('more'), index: 7, proof, checkpoint: noteOf(VECTOR) }
    const file = formatLogProof(whole)
    expect(textOf(file).startsWith('c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 7\n')).toBe(true)
    expect(parseLogProof(file)).toEqual({ ok: true, logProof: whole })
  })

  test('says of a proof that holds whether enough witnesses have seen the log', async () => {
    const made = await proofOf(2)
    const unwitnessed = { ...made, checkpoint: noteOf(`${BODY}\n${LOG_LINE}`) }
    expect(await verifyLogProof(deps, policy, bytes('c'), unwitnessed)).toMatchObject({ ok: true, quorumMet: false })
    const relaxed = { ...policy, quorum: null }
    expect(await verifyLogProof(deps, relaxed, bytes('c'), unwitnessed)).toMatchObject({ ok: true, quorumMet: true })
    const wrong = { ...made, index: 1 }
    expect(await verifyLogProof(deps, policy, bytes('c'), wrong)).toMatchObject({
      ok: false,
      reason: 'proof-too-short',
    })
    expect(isQuorumMet(policy, new Set())).toBe(false)
  })
})
