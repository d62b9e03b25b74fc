import {
  type Checkpoint,
  hashLeaf,
  isQuorumMet,
  type Note,
  openCheckpoint,
  type Policy,
  type ProofDeps,
  parseCheckpoint,
  type Sha256,
  verifyInclusion,
} from '../tlog/index.js'
import { iso } from './judge-signature.js'
import type { Check } from './judgement.js'
import type { ReceiptFacts } from './receipt-facts.js'

/** A checkpoint as an auditor's policy sees it: judged once, for however many receipts it stands for. */
export type CheckpointView = {
  /** What it says, whether it is to be relied on or not; null if it is no checkpoint. */
  readonly checkpoint: Checkpoint | null
  /** When the first witness of the policy saw it: milliseconds since 1970, to the second. */
  readonly seenAt: number | null
  readonly isSigned: boolean
  readonly quorumMet: boolean
  /** Whether the policy relies on witnesses at all. */
  readonly asksWitnesses: boolean
  readonly checks: readonly Check[]
}

/** Where an entry stands in the tree of a checkpoint. */
export type Place = { readonly index: number; readonly proof: readonly Uint8Array[] }

/** Judges a checkpoint's signatures by a policy; by none, nothing is decided. Throws only what the verifier throws. */
export async function viewCheckpoint(deps: ProofDeps, policy: Policy | null, note: Note): Promise<CheckpointView> {
  const parsed = parseCheckpoint(note.text)
  const checkpoint = parsed.ok ? parsed.checkpoint : null
  const unseen = { checkpoint, seenAt: null, isSigned: false, quorumMet: false, asksWitnesses: true }
  const witnesses: Check = { name: 'witnesses', status: 'skipped', detail: 'There is no signed checkpoint to witness.' }
  const refused = (status: Check['status'], detail: string): CheckpointView => ({
    ...unseen,
    checks: [{ name: 'checkpoint', status, detail }, witnesses],
  })
  if (!parsed.ok) return refused('failed', `The proof ends in no checkpoint (${parsed.reason}).`)
  if (policy === null) return refused('undecided', 'No log is pinned, so there is no key to check the checkpoint with.')
  const keys = { logs: policy.logs.map(({ key }) => key), witnesses: policy.witnesses.map(({ key }) => key) }
  const opened = await openCheckpoint(deps, keys, note)
  if (!opened.ok) return refused(opened.reason === 'unknown-origin' ? 'undecided' : 'failed', refusalOf(opened))
  const { size, origin } = opened.checkpoint
  const signed: Check = { name: 'checkpoint', status: 'passed', detail: `${origin} signed a tree of ${size} entries.` }
  const cosigners = new Set(opened.cosignatures.map(({ key }) => key))
  const quorumMet = isQuorumMet(policy, cosigners)
  const times = opened.cosignatures.flatMap(({ time }) => (time === null ? [] : [time * 1_000]))
  const seenAt = times.length === 0 ? null : Math.min(...times)
  const checks = [signed, witnessCheck(policy, cosigners.size, quorumMet, seenAt)]
  return { checkpoint, seenAt, isSigned: true, quorumMet, asksWitnesses: policy.quorum !== null, checks }
}

function refusalOf(refusal: Exclude<Awaited<ReturnType<typeof openCheckpoint>>, { ok: true }>): string {
  if (refusal.reason === 'unknown-origin') return 'It is of a log that is not pinned.'
  if (refusal.reason === 'no-log-signature') return 'The pinned key of the log did not sign it.'
  if (refusal.reason === 'bad-signature') return `The signature of ${refusal.name} is bad (${refusal.fault}).`
  return `It is no checkpoint (${refusal.reason}).`
}

function witnessCheck(policy: Policy, seen: number, quorumMet: boolean, seenAt: number | null): Check {
  const name = 'witnesses'
  const by = `${seen} of the ${policy.witnesses.length} pinned witnesses cosigned it`
  const since = seenAt === null ? '' : `, the first at ${iso(seenAt)}`
  if (!quorumMet) return { name, status: 'unwitnessed', detail: `${by}${since}: fewer than the policy asks for.` }
  if (policy.quorum !== null) return { name, status: 'passed', detail: `${by}${since}.` }
  const detail = `The policy asks for no witness${seen === 0 ? '' : `; ${by}${since}`}. The log's word stands alone.`
  return { name, status: 'passed', detail }
}

/** Whether the entry is in the tree. What the tree is worth, the checks of its checkpoint say. */
export function judgeInclusion(
  sha256: Sha256,
  entry: Uint8Array | null,
  view: CheckpointView | null,
  place: Place | null,
): Check {
  const name = 'inclusion'
  if (view === null || place === null) {
    return { name, status: 'undecided', detail: 'No log proof was given: nothing shows that it is in the log.' }
  }
  if (entry === null || view.checkpoint === null) {
    return { name, status: 'skipped', detail: 'Without a receipt and a checkpoint there is nothing to prove.' }
  }
  const { size, root } = view.checkpoint
  const verdict = verifyInclusion(sha256, { leaf: hashLeaf(sha256, entry), ...place, size, root })
  if (!verdict.ok) return { name, status: 'failed', detail: `The proof does not lead to the root (${verdict.reason}).` }
  return { name, status: 'passed', detail: `It is entry ${place.index} of the ${size} under the checkpoint.` }
}

/** Whether receipt, proof and policy speak of one log. */
export function judgeOrigin(facts: ReceiptFacts, policy: Policy | null, view: CheckpointView | null): Check {
  const name = 'origin'
  const { issuer, origin } = facts
  const promised = origin ?? issuer
  const shown = view?.checkpoint?.origin ?? null
  if (origin !== null && issuer !== null && origin !== issuer) {
    return { name, status: 'failed', detail: `Its issuer is ${issuer}, and it promises the log ${origin}.` }
  }
  if (promised !== null && shown !== null && promised !== shown) {
    return { name, status: 'failed', detail: `It promises the log ${promised}, and the proof is of ${shown}.` }
  }
  const known = promised ?? shown
  if (known === null) return { name, status: 'skipped', detail: 'It names no log, and there is no proof.' }
  if (policy === null) return { name, status: 'skipped', detail: `It is of ${known}; no log is pinned.` }
  if (!policy.logs.some(({ key }) => key.name === known)) {
    return { name, status: 'undecided', detail: `The policy does not know the log ${known}.` }
  }
  return { name, status: 'passed', detail: `The log is ${known}, as the policy has it.` }
}
