import { canonicalJson, type JsonObject } from '../../src/core/json/index.js'
import type { CheckName, Verdict } from '../../src/core/proof/judgement.js'
import {
  cosignNote,
  formatLogProof,
  formatNote,
  type LogProof,
  type Note,
  toLogProofJson,
} from '../../src/core/tlog/index.js'
import { flipped } from '../unit/tlog-trees.js'
import {
  AuditLog,
  bytes,
  chainOf,
  entryOf,
  FIRST_WITNESS,
  jsonBytes,
  keysText,
  nameOf,
  ORIGIN,
  OTHER_ORIGIN,
  PROJECT,
  packageBytes,
  policyText,
  receiptAfter,
  START,
  signed,
} from './audit-world.js'

/** Files as an auditor has them, and what every verifier of ours has to say of them. */
export type AuditCase = {
  readonly name: string
  readonly document: Uint8Array
  readonly proof?: Uint8Array
  readonly keys?: string | null
  readonly policy?: string | null
  readonly checkpoints?: readonly Uint8Array[]
  /** Statements of changed keys. */
  readonly statements?: Uint8Array
  readonly project?: string
  readonly strict?: true
  readonly anyTime?: true
  readonly trustEmbedded?: true
  readonly verdict: Verdict
  /** The checks that make the verdict; none for a good one. */
  readonly by: readonly CheckName[]
}

const HOUR_MS = 3_600_000

/** Everything that the cases are made of: one chain in one log, and what an operator without scruples could add. */
async function openWorld() {
  const chain = chainOf(5)
  const log = new AuditLog(chain)
  const receipt = chain[2] as JsonObject
  const proof = await log.proof(receipt)
  const lines = await log.packageLines(chain)
  return { chain, log, receipt, proof, lines, document: jsonBytes(receipt), proofBytes: formatLogProof(proof) }
}
type World = Awaited<ReturnType<typeof openWorld>>

/** The table that core, the command line and the page have to agree on. */
export async function auditCases(): Promise<readonly AuditCase[]> {
  const world = await openWorld()
  return [
    ...goodCases(world),
    ...(await shortCases(world)),
    ...receiptAttacks(world),
    ...textAttacks(world),
    ...(await logAttacks(world)),
    ...(await timeAttacks(world)),
    ...chainAttacks(world),
  ]
}

function goodCases({ chain, receipt, proof, lines, document, proofBytes }: World): AuditCase[] {
  const good = { verdict: 'good', by: [] } as const
  const [, first, second] = lines
  const { receipt: _, ...kept } = first as JsonObject
  const erased = { ...kept, entry: nameOf(entryOf(chain[0] as JsonObject)) }
  return [
    { name: 'a receipt with its proof file', document, proof: proofBytes, ...good },
    { name: 'a receipt with its proof in JSON', document, proof: jsonBytes(toLogProofJson(proof)), ...good },
    {
      name: 'a receipt and its proof in one file',
      document: jsonBytes({ receipt, log_proof: toLogProofJson(proof) }),
      ...good,
    },
    {
      name: 'a receipt in another spelling',
      document: bytes(JSON.stringify(receipt, null, 2)),
      proof: proofBytes,
      ...good,
    },
    { name: 'an audit package', document: packageBytes(lines), project: PROJECT, ...good },
    {
      name: 'a package that begins in the middle',
      document: packageBytes([lines[0] as JsonObject, ...lines.slice(3)]),
      ...good,
    },
    {
      name: 'a package with an erased receipt',
      document: packageBytes([lines[0] as JsonObject, erased, second as JsonObject]),
      ...good,
    },
    {
      name: 'a package whose keys are trusted',
      document: packageBytes(lines),
      keys: null,
      policy: null,
      trustEmbedded: true,
      ...good,
    },
    { name: 'a policy that asks for no witness', document, proof: proofBytes, policy: policyText('none'), ...good },
  ]
}

async function shortCases({ log, receipt, proof, lines, document, proofBytes }: World): Promise<AuditCase[]> {
  const late = await log.proofBytes(receipt, log.note({ seenAt: START + HOUR_MS }))
  const undecided = 'undecided'
  return [
    {
      name: 'one witness of two',
      document,
      proof: await log.proofBytes(receipt, log.note({ cosigned: 1 })),
      verdict: 'unwitnessed',
      by: ['witnesses'],
    },
    {
      name: 'no witness',
      document,
      proof: await log.proofBytes(receipt, log.note({ cosigned: 0 })),
      verdict: 'unwitnessed',
      by: ['witnesses'],
    },
    {
      name: 'a checkpoint of an hour later',
      document,
      proof: late,
      verdict: undecided,
      by: ['issued-at', 'merge-delay'],
    },
    {
      name: 'a checkpoint of an hour later, at any time',
      document,
      proof: late,
      anyTime: true,
      verdict: 'good',
      by: [],
    },
    { name: 'no proof', document, verdict: undecided, by: ['inclusion'] },
    { name: 'no keys', document, proof: proofBytes, keys: null, verdict: undecided, by: ['key'] },
    { name: 'no policy', document, proof: proofBytes, policy: null, verdict: undecided, by: ['checkpoint'] },
    {
      name: 'a key that is not pinned',
      document,
      proof: proofBytes,
      keys: keysText().replace('key-1', 'key-2'),
      verdict: undecided,
      by: ['key'],
    },
    {
      name: 'a log that is not pinned',
      document,
      proof: proofBytes,
      policy: policyText('both', [OTHER_ORIGIN]),
      verdict: undecided,
      by: ['origin', 'checkpoint'],
    },
    {
      name: 'keys that came with the receipt, and nobody asked for',
      document: jsonBytes({
        receipt,
        log_proof: toLogProofJson(proof),
        keys: JSON.parse(keysText()),
        policy: policyText(),
      }),
      keys: null,
      verdict: undecided,
      by: ['key'],
    },
    {
      name: 'a package without receipts',
      document: packageBytes(lines.slice(0, 1)),
      verdict: undecided,
      by: ['chain'],
    },
    {
      name: 'a package whose keys are not pinned',
      document: packageBytes(lines.slice(0, 2)),
      keys: null,
      policy: null,
      verdict: undecided,
      by: ['checkpoint', 'key'],
    },
  ]
}

const L = 2n ** 252n + 27742317777372353535851937790883648493n

/** The second signature that a verifier takes who does not look at S: S + L. */
function withLargeS(receipt: JsonObject): JsonObject {
  const signature = Buffer.from(String(receipt['signature']).slice(8), 'base64url')
  const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`) + L
  const large = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').toReversed()
  return { ...receipt, signature: `ed25519:${Buffer.concat([signature.subarray(0, 32), large]).toString('base64url')}` }
}

function receiptAttacks({ receipt, document, proofBytes: proof }: World): AuditCase[] {
  const bad = 'bad'
  const text = String(receipt['signature'])
  const changed = { ...receipt, cost: { amount: '0.000000000001', currency: 'USD' } }
  const foreign = receiptAfter(null, { project: 'another-project' })
  return [
    { name: 'a changed amount', document: jsonBytes(changed), proof, verdict: bad, by: ['signature', 'inclusion'] },
    {
      name: 'a bad signature',
      document: jsonBytes({ ...receipt, signature: `ed25519:A${text.slice(9)}` }),
      proof,
      verdict: bad,
      by: ['signature', 'inclusion'],
    },
    {
      name: 'S + L in place of S',
      document: jsonBytes(withLargeS(receipt)),
      proof,
      verdict: bad,
      by: ['signature-encoding', 'inclusion'],
    },
    {
      name: 'another spelling of the signature',
      document: jsonBytes({ ...receipt, signature: `${text}==` }),
      proof,
      verdict: bad,
      by: ['signature-encoding', 'inclusion'],
    },
    { name: 'another key under the same id', document, proof, keys: keysText({}, 9), verdict: bad, by: ['signature'] },
    {
      name: 'a key that was not in use yet',
      document,
      proof,
      keys: keysText({ not_before: '2026-03-02T00:00:00Z' }),
      verdict: bad,
      by: ['key-period'],
    },
    {
      name: 'a key that was retired long ago',
      document,
      proof,
      keys: keysText({ not_after: '2026-02-01T00:00:00Z' }),
      verdict: bad,
      by: ['key-period'],
    },
    {
      name: 'a receipt of another project',
      document: jsonBytes(foreign),
      project: PROJECT,
      verdict: bad,
      by: ['project', 'inclusion'],
    },
    { name: 'no receipt at all', document: jsonBytes([1, 2]), verdict: bad, by: ['structure', 'inclusion'] },
  ]
}

function textAttacks({ receipt, proof, lines, proofBytes }: World): AuditCase[] {
  const bad = { verdict: 'bad', by: ['text'] } as const
  const text = JSON.stringify(receipt)
  const doubled = text.replace('"model":"gpt-4o-mini"', '"model":"gpt-4o","model":"gpt-4o-mini"')
  const written = canonicalJson(receipt)
  const canonical = written.ok ? written.text : ''
  const respelt = (from: string, to: string) => bytes(canonical.replace(from, to))
  const [header, first] = lines as [JsonObject, JsonObject]
  return [
    { name: 'a name that occurs twice', document: bytes(doubled), proof: proofBytes, ...bad },
    {
      name: 'a name that occurs twice in a package',
      document: bytes(`${JSON.stringify(header)}\n${JSON.stringify(first).replace('"seq":1', '"seq":2,"seq":1')}\n`),
      ...bad,
    },
    {
      name: 'half a surrogate pair',
      document: bytes(text.replace('summarizer', '\\ud800')),
      proof: proofBytes,
      ...bad,
    },
    {
      name: 'bytes that are no UTF-8',
      document: bytes(text).map((byte, at) => (at === text.indexOf('summarizer') ? 0xff : byte)),
      proof: proofBytes,
      ...bad,
    },
    {
      name: '2^53 + 1',
      document: bytes(text.replace('1200', '9007199254740993')),
      proof: proofBytes,
      verdict: 'bad',
      by: ['canonical'],
    },
    { name: 'a file that ends too soon', document: bytes(text.slice(0, -5)), proof: proofBytes, ...bad },
    { name: 'a file that never ends', document: bytes(' '.repeat(1_100_000)), ...bad },
    { name: 'a canonical file', document: bytes(canonical), proof: proofBytes, strict: true, verdict: 'good', by: [] },
    {
      name: '1.0 in a file that has to be canonical',
      document: respelt(':300', ':300.0'),
      proof: proofBytes,
      strict: true,
      ...bad,
    },
    {
      name: 'white space in a file that has to be canonical',
      document: respelt(',', ', '),
      proof: proofBytes,
      strict: true,
      ...bad,
    },
    {
      name: '-0 in a file that has to be canonical',
      document: respelt('"cached_input":0', '"cached_input":-0'),
      proof: proofBytes,
      strict: true,
      ...bad,
    },
    {
      name: 'a proof that is none',
      document: bytes(text),
      proof: bytes('c2sp.org/tlog-proof@v1\n'),
      verdict: 'bad',
      by: ['inclusion'],
    },
    {
      name: 'a proof in which a name occurs twice',
      document: bytes(text),
      proof: bytes(JSON.stringify(toLogProofJson(proof)).replace('{', '{"index":1,')),
      verdict: 'bad',
      by: ['inclusion'],
    },
  ]
}

async function logAttacks({ chain, log, receipt, proof, document, proofBytes, lines }: World): Promise<AuditCase[]> {
  const other = new AuditLog(chain, OTHER_ORIGIN)
  const both = policyText('both', [ORIGIN, OTHER_ORIGIN])
  // Signed and logged as it stands: it names one log as its issuer, and promises another.
  const torn = receiptAfter(null, { log: { origin: OTHER_ORIGIN, max_merge_delay_seconds: 60 } })
  const fork = new AuditLog([...chain.slice(0, 4), receiptAfter(chain[3] ?? null, { model: 'gpt-4o' })])
  const note = log.note()
  const unsigned: Note = { ...note, signatures: note.signatures.slice(1) }
  // The signature of the witness's key, which would be good if it were taken for a key of the other type.
  const byWitness = FIRST_WITNESS === undefined ? [] : [cosignNote(FIRST_WITNESS, note.text, START / 1_000)]
  const forged = note.signatures.map((line) => ({ ...line, signature: flipped(line.signature, 70) }))
  const [own, ...cosignatures] = note.signatures
  const badWitness: Note = { ...note, signatures: [...(own === undefined ? [] : [own]), ...forged.slice(1)] }
  const asKept = (changed: LogProof): Uint8Array => formatLogProof(changed)
  const hashes = proof.proof.map((hash, at) => (at === 0 ? flipped(hash, 3) : hash))
  const bad = 'bad'
  return [
    { name: 'another root', document, proof: asKept({ ...proof, proof: hashes }), verdict: bad, by: ['inclusion'] },
    {
      name: 'another index',
      document,
      proof: asKept({ ...proof, index: proof.index + 1 }),
      verdict: bad,
      by: ['inclusion'],
    },
    {
      name: 'the proof of another receipt',
      document: jsonBytes(chain[1]),
      proof: proofBytes,
      verdict: bad,
      by: ['inclusion'],
    },
    {
      name: 'the proof of another log',
      document,
      proof: await other.proofBytes(receipt),
      policy: both,
      verdict: bad,
      by: ['origin'],
    },
    {
      name: 'a receipt that promises another log than its issuer',
      document: jsonBytes(torn),
      proof: await new AuditLog([torn], OTHER_ORIGIN).proofBytes(torn),
      policy: both,
      verdict: bad,
      by: ['origin'],
    },
    {
      name: 'a checkpoint that the log did not sign',
      document,
      proof: asKept({ ...proof, checkpoint: unsigned }),
      verdict: bad,
      by: ['checkpoint'],
    },
    {
      name: 'a checkpoint that only a key of another type signed',
      document,
      proof: asKept({ ...proof, checkpoint: { ...note, signatures: byWitness } }),
      verdict: bad,
      by: ['checkpoint'],
    },
    {
      name: 'a bad cosignature',
      document,
      proof: asKept({ ...proof, checkpoint: badWitness }),
      verdict: bad,
      by: ['checkpoint'],
    },
    {
      name: 'a checkpoint with an extension',
      document,
      proof: asKept({ ...proof, checkpoint: { text: `${note.text}more\n`, signatures: [...cosignatures] } }),
      verdict: bad,
      by: ['checkpoint'],
    },
    {
      name: 'another tree of the same size',
      document,
      proof: proofBytes,
      checkpoints: [fork.noteBytes()],
      verdict: bad,
      by: ['history'],
    },
    {
      name: 'the same tree, kept',
      document,
      proof: proofBytes,
      checkpoints: [formatNote(note)],
      verdict: 'good',
      by: [],
    },
    {
      name: 'a package of another log',
      document: packageBytes([{ ...(lines[0] as JsonObject), origin: OTHER_ORIGIN }, ...lines.slice(1)]),
      verdict: bad,
      by: ['origin'],
    },
  ]
}

async function timeAttacks({ chain, log, receipt, document, proofBytes }: World): Promise<AuditCase[]> {
  const early = new AuditLog(chain.slice(0, 2))
  const kept = early.noteBytes({ seenAt: START + HOUR_MS })
  const late = await log.proofBytes(receipt, log.note({ seenAt: START + 2 * HOUR_MS }))
  const before = await log.proofBytes(receipt, log.note({ seenAt: START - HOUR_MS }))
  const elsewhere = new AuditLog(chain.slice(0, 2), OTHER_ORIGIN)
  const times = ['issued-at', 'merge-delay'] as const
  return [
    {
      name: 'dated back: a witness saw the log without it later',
      document,
      proof: late,
      checkpoints: [kept],
      verdict: 'bad',
      by: times,
    },
    {
      name: 'dated back, and it does not matter when',
      document,
      proof: late,
      checkpoints: [kept],
      anyTime: true,
      verdict: 'bad',
      by: times,
    },
    { name: 'seen by a witness before it was issued', document, proof: before, verdict: 'bad', by: times },
    {
      name: 'a kept checkpoint of another log, which need not have it',
      document,
      proof: proofBytes,
      policy: policyText('both', [ORIGIN, OTHER_ORIGIN]),
      checkpoints: [elsewhere.noteBytes({ seenAt: START + HOUR_MS })],
      verdict: 'good',
      by: [],
    },
    {
      name: 'a kept checkpoint from before it was issued',
      document,
      proof: proofBytes,
      checkpoints: [early.noteBytes({ seenAt: START })],
      verdict: 'good',
      by: [],
    },
  ]
}

function chainAttacks({ chain, log, lines }: World): AuditCase[] {
  const [header, first, second, third, fourth] = lines as [JsonObject, JsonObject, JsonObject, JsonObject, JsonObject]
  const by = ['chain'] as const
  const { receipt: gone, ...kept } = third
  const erased = { ...kept, entry: nameOf(entryOf(gone as JsonObject)) }
  const rewritten = receiptAfter(chain[0] ?? null, { model: 'gpt-4o' })
  const { signature: _, ...unsigned } = chain[1] as JsonObject
  const replayed = signed({ ...unsigned, project: 'another-project' })
  return [
    { name: 'a gap in the numbers', document: packageBytes([header, first, third]), verdict: 'bad', by },
    // An erased one names none before it: only the numbers tell.
    { name: 'a gap before an erased receipt', document: packageBytes([header, first, erased]), verdict: 'bad', by },
    { name: 'receipts in another order', document: packageBytes([header, second, first]), verdict: 'bad', by },
    { name: 'a receipt twice', document: packageBytes([header, first, first]), verdict: 'bad', by },
    {
      name: 'a rewritten receipt',
      document: packageBytes([header, first, { ...second, receipt: rewritten }, third]),
      verdict: 'bad',
      by: ['inclusion', 'chain', 'history'],
    },
    {
      name: 'the number of another line',
      document: packageBytes([header, first, { ...second, seq: 3 }]),
      verdict: 'bad',
      by,
    },
    {
      name: 'a receipt of another project in a package',
      document: packageBytes([header, first, { ...second, receipt: replayed }]),
      verdict: 'bad',
      by: ['chain', 'inclusion'],
    },
    {
      name: 'a place that goes back',
      document: packageBytes([header, first, { ...second, index: 0 }]),
      verdict: 'bad',
      by: ['chain', 'inclusion'],
    },
    {
      name: 'a line that is not covered',
      document: packageBytes([header, first, { seq: 2, receipt: chain[1] as JsonObject }]),
      verdict: 'undecided',
      by: ['inclusion'],
    },
    { name: 'a line that is none', document: packageBytes([header, first, { seq: 2 }]), verdict: 'bad', by: ['text'] },
    {
      name: 'an erased receipt with the wrong entry',
      document: packageBytes([
        header,
        first,
        { ...fourth, receipt: null, seq: 2, entry: nameOf(new Uint8Array(32)) },
        third,
      ]),
      verdict: 'bad',
      by: ['inclusion', 'chain'],
    },
    {
      name: 'a chain in another log of the same operator',
      document: packageBytes([
        { ...header, checkpoint: new TextDecoder().decode(new AuditLog(chain.slice(1)).noteBytes()) },
        first,
      ]),
      verdict: 'bad',
      by: ['inclusion'],
    },
    {
      name: 'a whole chain',
      document: packageBytes([header, first, second, third, fourth]),
      checkpoints: [log.noteBytes()],
      verdict: 'good',
      by: [],
    },
  ]
}
