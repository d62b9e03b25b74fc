import type { VerifierDeps } from '../../../core/ed25519/index.js'
import {
  formatWitnessSubmission,
  type Note,
  type NoteKey,
  type NoteSignature,
  parseSignatureLines,
  verifyNote,
} from '../../../core/tlog/index.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { PostCheckpoint } from './post-checkpoint.js'

export type Witness = { readonly name: string; readonly key: NoteKey; readonly url: string }

/** A checkpoint that the log has signed. */
export type Submitted = { readonly size: number; readonly root: Uint8Array; readonly note: Note }

export type AskDeps = {
  readonly post: PostCheckpoint
  /** The consistency proof between two sizes of the tree. */
  readonly prove: (from: number, to: number) => Promise<readonly Uint8Array[]>
  readonly verifier: VerifierDeps
  /** Is told the size of a tree that the witness has seen. */
  readonly onSize: (size: number) => void
}

export type Asked =
  /** Its signature lines, verified. */
  | { readonly ok: true; readonly lines: readonly NoteSignature[] }
  | {
      readonly ok: false
      readonly reason: string
      /** The witness has seen another tree, or a larger one: this log went back, or forked. */
      readonly isContradicted: boolean
    }

const SIZE_TYPE = 'text/x.tlog.size'
const failed = (reason: string): Asked => ({ ok: false, reason, isContradicted: false })
const contradicted = (reason: string): Asked => ({ ok: false, reason, isContradicted: true })

/**
 * Asks a witness to cosign (c2sp.org/tlog-witness). What it saw last is remembered from its answers: after a start that
 * takes one more request, which is answered with the size (409). A size is not signed, so one that is larger than the
 * log's is asked for anew each time: a witness that was wrong once does not bar the log for ever.
 */
export function createAskWitness(deps: AskDeps, witness: Witness) {
  let seen = 0
  return async (checkpoint: Submitted, signal: AbortSignal): Promise<Asked> => {
    for (let attempt = 0; attempt < TRANSPARENCY_LIMITS.witnessAttemptsMax; attempt += 1) {
      const from = Math.min(seen, checkpoint.size)
      const answer = await submit(deps, witness, { from, checkpoint }, signal)
      if ('told' in answer) {
        deps.onSize(answer.told)
        // The size was right, so it is the root that is not.
        if (answer.told === from) return contradicted('it has seen another tree')
        seen = answer.told
        if (seen > checkpoint.size) return contradicted('it has seen a larger tree')
        continue
      }
      if (!answer.ok) return answer
      seen = checkpoint.size
      deps.onSize(seen)
      return answer
    }
    return failed('it names another size each time')
  }
}

type Growth = { readonly from: number; readonly checkpoint: Submitted }

/** One request. `told` is the size that the witness has seen, if it is another one than `from`. */
async function submit(
  { post, prove, verifier }: AskDeps,
  { key, url }: Witness,
  { from, checkpoint: { size, note } }: Growth,
  signal: AbortSignal,
): Promise<Asked | { readonly told: number }> {
  const body = formatWitnessSubmission({ oldSize: from, proof: await prove(from, size), checkpoint: note })
  const posted = await post(url, body, signal)
  if (posted.status === null) return failed(posted.reason)
  if (posted.status === 422) return contradicted('it has seen another tree')
  if (posted.status === 200) {
    const lines = await openLines(verifier, key, note.text, posted.text)
    return lines === null ? failed('its answer is no cosignature of this checkpoint') : { ok: true, lines }
  }
  const told = posted.status === 409 && posted.type === SIZE_TYPE ? readSize(posted.text) : null
  return told === null ? failed(`it answered with status ${posted.status}`) : { told }
}

/** The lines of the witness's own key; null unless there are some and all of them hold. Others' lines are dropped. */
async function openLines(
  verifier: VerifierDeps,
  key: NoteKey,
  text: string,
  answer: string,
): Promise<readonly NoteSignature[] | null> {
  const parsed = parseSignatureLines(answer)
  if (!parsed.ok) return null
  const lines = parsed.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.id)
  const verdict = await verifyNote(verifier, [key], { text, signatures: lines })
  return verdict.ok ? lines.slice(-1) : null
}

function readSize(text: string): number | null {
  const size = /^(0|[1-9]\d{0,15})\n$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(size) ? size : null
}
