import type { VerifierDeps } from '../ed25519/index.js'
import { hashLeaf, type Sha256 } from './merkle-hash.js'
import { type CheckpointRefusal, type OpenedCheckpoint, openCheckpoint } from './open-checkpoint.js'
import type { Policy } from './policy-parts.js'
import type { LogProof } from './proof-file.js'
import { isQuorumMet } from './quorum.js'
import { type InclusionFault, verifyInclusion } from './verify-inclusion.js'

export interface ProofDeps extends VerifierDeps {
  readonly sha256: Sha256
}

export type LogProofVerdict =
  /** In the log; `quorumMet` says whether enough witnesses have seen that log. */
  | ({ readonly ok: true; readonly quorumMet: boolean } & OpenedCheckpoint)
  | { readonly ok: false; readonly reason: InclusionFault }
  | CheckpointRefusal

/**
 * Whether an entry is in a log of the policy, by a proof: the checkpoint is that log's, and its root is the one that
 * entry, index and proof lead to. Offline; throws only what the verifier throws.
 */
export async function verifyLogProof(
  deps: ProofDeps,
  policy: Policy,
  entry: Uint8Array,
  logProof: LogProof,
): Promise<LogProofVerdict> {
  const keys = { logs: policy.logs.map(({ key }) => key), witnesses: policy.witnesses.map(({ key }) => key) }
  const opened = await openCheckpoint(deps, keys, logProof.checkpoint)
  if (!opened.ok) return opened
  const { size, root } = opened.checkpoint
  const { index, proof } = logProof
  const inclusion = verifyInclusion(deps.sha256, { leaf: hashLeaf(deps.sha256, entry), index, size, proof, root })
  if (!inclusion.ok) return inclusion
  const cosigners = new Set(opened.cosignatures.map(({ key }) => key))
  return { ...opened, quorumMet: isQuorumMet(policy, cosigners) }
}
