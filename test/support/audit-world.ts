import { formatSignature } from '../../src/core/ed25519/index.js'
import { canonicalJson, type JsonObject } from '../../src/core/json/index.js'
import {
  cosignNote,
  formatCheckpoint,
  formatLogProof,
  formatNote,
  formatNoteKey,
  type LogProof,
  makeInclusionProof,
  makeNoteKey,
  type Note,
  rootOfEdge,
  signNote,
  toLogProofJson,
} from '../../src/core/tlog/index.js'
import { signerOfByte } from '../unit/proof-fixtures.js'
import { StoredTree, sha256 } from '../unit/tlog-trees.js'

export const ORIGIN = 'receipts.example/log1'
export const OTHER_ORIGIN = 'receipts.example/log2'
export const PROJECT = '0198f0c2-0000-7000-8000-000000000001'
/** When the first receipt was issued. */
export const START = Date.parse('2026-03-01T12:00:00.000Z')

const utf8 = new TextEncoder()
export const bytes = (text: string): Uint8Array => utf8.encode(text)
export const jsonBytes = (value: unknown): Uint8Array => bytes(JSON.stringify(value))
const seconds = (epochMs: number): number => Math.floor(epochMs / 1_000)

const receiptSigner = signerOfByte(1)
const keysOf = (origin: string) => {
  const { key, sign } = signerOfByte(origin === ORIGIN ? 2 : 5)
  return { key: makeNoteKey(sha256, origin, 'note', key), sign }
}
const witnesses = [3, 4].map((byte, at) => {
  const { key, sign } = signerOfByte(byte)
  return { key: makeNoteKey(sha256, `witness.example/w${at + 1}`, 'cosignature', key), sign }
})
export const FIRST_WITNESS = witnesses[0]

/** The auditor's policy: this log (and others), and both witnesses. */
export function policyText(quorum = 'both', origins: readonly string[] = [ORIGIN]): string {
  return [
    ...origins.map((origin) => `log ${formatNoteKey(keysOf(origin).key)}`),
    ...witnesses.map(({ key }, at) => `witness w${at + 1} ${formatNoteKey(key)}`),
    'group both all w1 w2',
    `quorum ${quorum}`,
    '',
  ].join('\n')
}

export function keysText(period: { readonly not_before?: string; readonly not_after?: string } = {}, byte = 1): string {
  const x = Buffer.from(signerOfByte(byte).key.bytes).toString('base64url')
  return JSON.stringify({ keys: [{ kid: 'key-1', x, not_before: null, not_after: null, ...period }] })
}

/** Signs a receipt as the server does. */
export function signed(unsigned: JsonObject): JsonObject {
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  return { ...unsigned, signature: formatSignature(receiptSigner.sign(canonical.bytes)) }
}

export function entryOf(receipt: JsonObject): Uint8Array {
  const canonical = canonicalJson(receipt)
  if (!canonical.ok) throw new Error(canonical.reason)
  return sha256(canonical.bytes)
}

export const nameOf = (entry: Uint8Array): string => `sha256:${Buffer.from(entry).toString('hex')}`

/** The next receipt of a project; a second after the one before it. */
export function receiptAfter(before: JsonObject | null, changes: JsonObject = {}): JsonObject {
  const seq = before === null ? 1 : Number(before['seq']) + 1
  return signed({
    id: `rcpt_${seq}`,
    timestamp: '2026-03-01T11:59:58Z',
    issued_at: new Date(START + (seq - 1) * 1_000).toISOString(),
    issuer: ORIGIN,
    project: PROJECT,
    seq,
    prev: before === null ? null : nameOf(entryOf(before)),
    registry_version: 'openai@7',
    model: 'gpt-4o-mini',
    alias: 'summarizer',
    profile: 'default',
    lock_digest: '',
    tokens: { input: 1_200, output: 300, cached_input: 0 },
    cost: { amount: '0.000360000000', currency: 'USD' },
    evidence: 'client_reported',
    log: { origin: ORIGIN, max_merge_delay_seconds: 60 },
    key_id: 'key-1',
    ...changes,
  })
}

export function chainOf(count: number): readonly JsonObject[] {
  const chain: JsonObject[] = []
  while (chain.length < count) chain.push(receiptAfter(chain.at(-1) ?? null))
  return chain
}

/** A log that holds these entries, with another tenant's between them, and a note of any of its sizes. */
export class AuditLog {
  readonly tree = new StoredTree()
  readonly indices = new Map<string, number>()
  readonly origin: string

  constructor(receipts: readonly JsonObject[], origin = ORIGIN) {
    this.origin = origin
    for (const receipt of receipts) {
      this.tree.appendEntries([sha256(bytes(`another tenant's ${this.tree.leaves.length}`))])
      this.indices.set(nameOf(entryOf(receipt)), this.tree.leaves.length)
      this.tree.appendEntries([entryOf(receipt)])
    }
  }

  /** The checkpoint of the whole tree, cosigned at `seenAt` (milliseconds since 1970) by so many witnesses. */
  note({ seenAt = START + 10_000, cosigned = 2 }: { readonly seenAt?: number; readonly cosigned?: number } = {}): Note {
    const root = rootOfEdge(sha256, this.tree.edge)
    const text = formatCheckpoint({ origin: this.origin, size: this.tree.leaves.length, root })
    const own = signNote(keysOf(this.origin), text)
    const theirs = witnesses.slice(0, cosigned).map((witness) => cosignNote(witness, text, seconds(seenAt)))
    return { text, signatures: [own, ...theirs] }
  }

  noteBytes(options: Parameters<AuditLog['note']>[0] = {}): Uint8Array {
    return formatNote(this.note(options))
  }

  async proof(receipt: JsonObject, checkpoint: Note = this.note()): Promise<LogProof> {
    const index = this.indices.get(nameOf(entryOf(receipt)))
    if (index === undefined) throw new Error('not in this log')
    const made = await makeInclusionProof(this.tree.deps, index, this.tree.leaves.length)
    if (!made.ok) throw new Error(made.reason)
    return { extra: null, index, proof: made.proof, checkpoint }
  }

  async proofBytes(receipt: JsonObject, checkpoint?: Note): Promise<Uint8Array> {
    return formatLogProof(await this.proof(receipt, checkpoint))
  }

  /** The lines of an audit package, to be changed before they are joined. */
  async packageLines(receipts: readonly JsonObject[], checkpoint: Note = this.note()): Promise<JsonObject[]> {
    const header = {
      type: 'audit-package',
      origin: this.origin,
      checkpoint: new TextDecoder().decode(formatNote(checkpoint)),
      keys: JSON.parse(keysText()),
      policy: policyText(),
    }
    const lines: JsonObject[] = [header]
    for (const receipt of receipts) {
      const { index, proof } = toLogProofJson(await this.proof(receipt, checkpoint))
      lines.push({ seq: Number(receipt['seq']), receipt, index, proof })
    }
    return lines
  }
}

export const packageBytes = (lines: readonly JsonObject[]): Uint8Array =>
  bytes(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
