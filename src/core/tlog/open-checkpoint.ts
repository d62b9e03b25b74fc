import type { VerifierDeps } from '../ed25519/index.js'
import { type Checkpoint, type CheckpointFault, parseCheckpoint } from './checkpoint.js'
import type { Note } from './note.js'
import type { NoteKey } from './note-key.js'
import { type NoteEndorsement, type NoteRefusal, verifyNote } from './verify-note.js'

/** Whom one trusts to sign checkpoints, and whom to cosign them. */
export interface CheckpointKeys {
  readonly logs: readonly NoteKey[]
  readonly witnesses: readonly NoteKey[]
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly log: NoteKey
  /** Those of known witnesses, all verified; one witness may have cosigned more than once. */
  readonly cosignatures: readonly NoteEndorsement[]
}

export type CheckpointRefusal =
  | { readonly ok: false; readonly reason: CheckpointFault | 'unknown-origin' | 'no-log-signature' }
  | NoteRefusal

export type OpenCheckpointResult = ({ readonly ok: true } & OpenedCheckpoint) | CheckpointRefusal

/**
 * A checkpoint that can be relied on: its origin is a log that one knows, a key of that log signed it, and no signature
 * of a known key is bad. Cosignatures are given, not judged: how many are enough, the policy says (`isQuorumMet`).
 */
export async function openCheckpoint(
  deps: VerifierDeps,
  keys: CheckpointKeys,
  note: Note,
): Promise<OpenCheckpointResult> {
  const parsed = parseCheckpoint(note.text)
  if (!parsed.ok) return parsed
  const { checkpoint } = parsed
  const logs = keys.logs.filter(({ type, name }) => type === 'note' && name === checkpoint.origin)
  if (logs.length === 0) return { ok: false, reason: 'unknown-origin' }
  const witnesses = keys.witnesses.filter(({ type }) => type === 'cosignature')
  const verdict = await verifyNote(deps, [...logs, ...witnesses], note)
  if (!verdict.ok) return verdict.reason === 'no-known-signer' ? { ok: false, reason: 'no-log-signature' } : verdict
  const log = verdict.endorsements.find(({ key }) => key.type === 'note')
  if (log === undefined) return { ok: false, reason: 'no-log-signature' }
  const cosignatures = verdict.endorsements.filter(({ key }) => key.type === 'cosignature')
  return { ok: true, checkpoint, log: log.key, cosignatures }
}
