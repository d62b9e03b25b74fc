import {
  type Checkpoint,
  cosignNote,
  formatCheckpoint,
  formatNote,
  formatNoteKey,
  formatWitnessSubmission,
  makeConsistencyProof,
  makeNoteKey,
  type Note,
  readRoot,
  signNote,
} from '../../src/core/tlog/index.js'
import { signerOfByte } from '../unit/proof-fixtures.js'
import { StoredTree, sha256 } from '../unit/tlog-trees.js'

const LOG_NAME = 'receipts.example/log1'

/** A log in memory that signs any of its trees. Logs of one `seed` have one key: their forks are equivocation. */
export class SignedLog {
  readonly tree = new StoredTree()
  readonly entries: Uint8Array[] = []
  readonly key
  readonly #sign

  constructor(seed = 7, name = LOG_NAME) {
    const { key, sign } = signerOfByte(seed)
    this.key = makeNoteKey(sha256, name, 'note', key)
    this.#sign = sign
  }

  get keyText(): string {
    return formatNoteKey(this.key)
  }

  /** Entries of 32 bytes, which differ from log to log by `fork`. */
  append(count: number, fork = ''): this {
    const from = this.entries.length
    const added = Array.from({ length: count }, (_, at) => sha256(Buffer.from(`${fork} entry ${from + at}`)))
    this.entries.push(...added)
    this.tree.appendEntries(added)
    return this
  }

  async checkpoint(size = this.entries.length): Promise<Checkpoint> {
    const read = await readRoot(this.tree.deps, size)
    if (!read.ok) throw new Error(read.reason)
    return { origin: this.key.name, size, root: read.root }
  }

  async note(size = this.entries.length): Promise<Note> {
    const text = formatCheckpoint(await this.checkpoint(size))
    return { text, signatures: [signNote({ key: this.key, sign: this.#sign }, text)] }
  }

  async noteText(size = this.entries.length): Promise<string> {
    return Buffer.from(formatNote(await this.note(size))).toString()
  }

  async proof(from: number, to: number): Promise<readonly Uint8Array[]> {
    const made = await makeConsistencyProof(this.tree.deps, from, to)
    if (!made.ok) throw new Error(made.reason)
    return made.proof
  }

  /** What a log sends to a witness that is at `from`. */
  async submission(from: number, to = this.entries.length): Promise<Uint8Array> {
    const proof = from > to ? [] : await this.proof(from, to)
    return formatWitnessSubmission({ oldSize: from, proof, checkpoint: await this.note(to) })
  }
}

/** A witness's key, of which a test knows the private half. */
export function cosignerOf(seed: number, name = `witness.example/w${seed}`) {
  const { key, sign } = signerOfByte(seed)
  const signer = { key: makeNoteKey(sha256, name, 'cosignature', key), sign }
  return {
    keyText: formatNoteKey(signer.key),
    cosign: (note: Note, time = 1_700_000_000): Note => ({
      ...note,
      signatures: [...note.signatures, cosignNote(signer, note.text, time)],
    }),
  }
}
