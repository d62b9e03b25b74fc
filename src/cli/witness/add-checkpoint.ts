import type { VerifierDeps } from '../../core/ed25519/index.js'
import {
  type Checkpoint,
  cosignNote,
  formatSignatureLines,
  hashEmptyTree,
  type NoteKey,
  type NoteSigner,
  openCheckpoint,
  parseWitnessSubmission,
  sameBytes,
  verifyConsistency,
} from '../../core/tlog/index.js'
import type { Clock } from '../../platform/clock.js'
import { sha256 } from '../../platform/sha256.js'
import type { WitnessState } from './state.js'

export type WitnessDeps = {
  readonly state: WitnessState
  /** The keys of the logs that are witnessed. */
  readonly logs: readonly NoteKey[]
  readonly signer: NoteSigner
  readonly verifier: VerifierDeps
  readonly clock: Clock
}

/** What a submission comes to. A 409 says the size that is kept, a 200 has the cosignature's line. */
export type Answer = { readonly checkpoint?: Checkpoint } & (
  | { readonly status: 200; readonly lines: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly reason: string }
  | { readonly status: 409; readonly size: number }
)

/** Answers a submission (c2sp.org/tlog-witness). Rejects if the state cannot be kept; then nothing was cosigned. */
export type AddCheckpoint = (body: Uint8Array) => Promise<Answer>

/** Cosigns a checkpoint that grew from the one it cosigned last. To look and to keep is one step: one at a time. */
export function createAddCheckpoint(deps: WitnessDeps): AddCheckpoint {
  let last: Promise<unknown> = Promise.resolve()
  return async (body) => {
    const parsed = parseWitnessSubmission(body)
    if (!parsed.ok) return { status: 400, reason: parsed.reason }
    const { oldSize, proof, checkpoint: note } = parsed.submission
    const opened = await openCheckpoint(deps.verifier, { logs: deps.logs, witnesses: [] }, note)
    if (!opened.ok) return { status: statusOf(opened.reason), reason: opened.reason }
    const { checkpoint } = opened
    if (oldSize > checkpoint.size) return { status: 400, reason: 'old-size-above-new', checkpoint }
    const answer = last.then(() => advance(deps, oldSize, checkpoint, proof, note.text))
    last = answer.catch(() => undefined)
    return answer
  }
}

async function advance(
  { state, signer, clock }: WitnessDeps,
  oldSize: number,
  checkpoint: Checkpoint,
  proof: readonly Uint8Array[],
  text: string,
): Promise<Answer> {
  const head = (await state.head(checkpoint.origin)) ?? { size: 0, root: hashEmptyTree(sha256) }
  if (oldSize !== head.size) return { status: 409, size: head.size, checkpoint }
  const isSameSize = checkpoint.size === head.size
  if (isSameSize && !sameBytes(checkpoint.root, head.root)) return { status: 422, reason: 'another-root', checkpoint }
  const verdict = verifyConsistency(sha256, head, checkpoint, proof)
  if (!verdict.ok) return { status: 422, reason: verdict.reason, checkpoint }
  if (!isSameSize) await state.keep(checkpoint)
  const cosignature = cosignNote(signer, text, Math.floor(clock() / 1000))
  return { status: 200, lines: formatSignatureLines([cosignature]), checkpoint }
}

function statusOf(reason: string): 400 | 403 | 404 {
  if (reason === 'unknown-origin') return 404
  return reason === 'no-log-signature' || reason === 'bad-signature' ? 403 : 400
}
