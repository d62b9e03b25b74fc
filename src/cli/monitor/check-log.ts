import { setTimeout as sleep } from 'node:timers/promises'
import type { VerifierDeps } from '../../core/ed25519/index.js'
import {
  type Checkpoint,
  emptyTree,
  isQuorumMet,
  type Note,
  openCheckpoint,
  type Policy,
  parseNote,
  type TreeEdge,
  tileWidth,
} from '../../core/tlog/index.js'
import { CLI_LIMITS } from '../limits.js'
import { checkRoot, compareCheckpoints, type SignedCheckpoint } from './compare-checkpoints.js'
import { deriveTree } from './derive-tree.js'
import { Finding } from './finding.js'
import type { LogReader } from './log-reader.js'
import type { MonitorState } from './monitor-state.js'

export type CheckDeps = {
  readonly reader: LogReader
  readonly policy: Policy
  readonly verifier: VerifierDeps
  readonly save: (state: MonitorState) => Promise<void>
  readonly onProgress: (derived: number, size: number) => void
  /** The auditor's own, in milliseconds: how long ago a cosignature is. */
  readonly clock: () => number
  readonly signal: AbortSignal
}

export type CheckInput = {
  readonly state: MonitorState
  /** The checkpoint of another auditor. */
  readonly other: Uint8Array | null
  readonly full: boolean
}

/** A log that kept its word, with the witnesses that say so, too. */
export type Checked = {
  readonly checkpoint: Checkpoint
  readonly previousSize: number | null
  readonly witnesses: readonly string[]
  readonly quorumMet: boolean
  /** How large the tree was that the witnesses saw: that of a busy log has grown since. */
  readonly witnessedSize: number
  /** How many entries were derived anew; null if that was not asked for. */
  readonly derivedSize: number | null
}

type Opened = SignedCheckpoint & {
  readonly witnesses: readonly string[]
  readonly quorumMet: boolean
  /** Of its newest cosignature, in milliseconds; null if it has none. */
  readonly cosignedAt: number | null
}

/** One look at a log. Throws a `Finding` if it is proven bad, or cannot be decided. */
export async function checkLog(deps: CheckDeps, { state, other, full }: CheckInput): Promise<Checked> {
  const last = state.note === null ? null : await openNote(deps, state.note, 'the kept checkpoint')
  const theirs = other === null ? null : await openBytes(deps, other, "the other auditor's checkpoint")
  const newest = await readCheckpoint(deps, Math.max(last?.checkpoint.size ?? 0, theirs?.checkpoint.size ?? 0))
  const seen = newest.quorumMet ? newest : ((await readWitnessed(deps)) ?? newest)
  const now = seen.checkpoint.size > newest.checkpoint.size ? seen : newest
  const { checkpoint, note } = now
  for (const before of [last, theirs, newest, seen]) {
    if (before !== null && before !== now) await compareSame(deps, before, now)
  }
  if (last === null) await checkRoot(deps.reader.readTiles, checkpoint)
  let derived = state.derived.size <= checkpoint.size ? state.derived : emptyTree
  await deps.save({ note, derived })
  if (full) {
    const save = async (whole: TreeEdge) => {
      derived = whole
      await deps.save({ note, derived })
    }
    await deriveTree(
      { reader: deps.reader, onProgress: reportProgress(deps, checkpoint.size, save) },
      checkpoint,
      derived,
    )
  }
  const previousSize = last?.checkpoint.size ?? null
  const { witnesses, quorumMet } = seen
  const witnessedSize = seen.checkpoint.size
  return { checkpoint, previousSize, witnesses, quorumMet, witnessedSize, derivedSize: full ? checkpoint.size : null }
}

async function compareSame({ reader }: CheckDeps, before: Opened, now: Opened): Promise<void> {
  const [then, current] = [before.checkpoint.origin, now.checkpoint.origin]
  if (then !== current) throw new Finding('undecided', `'${then}' and '${current}' are two logs`)
  await compareCheckpoints(reader.readTiles, before, now)
}

/** The newest checkpoint. What is behind one that is known may come from a cache, so it is asked for a few times. */
async function readCheckpoint(deps: CheckDeps, sizeMin: number): Promise<Opened> {
  for (let attempt = 1; ; attempt += 1) {
    const opened = await openBytes(deps, await deps.reader.checkpoint(), "the log's checkpoint")
    const { size } = opened.checkpoint
    if (size >= sizeMin || attempt === CLI_LIMITS.staleAttemptsMax) return opened
    await sleep(CLI_LIMITS.stalePauseMs, undefined, { signal: deps.signal })
  }
}

/**
 * The newest checkpoint that the policy's quorum cosigned, if that was a moment ago: a busy log shows ones that are
 * younger than what its witnesses were asked. An old one says nothing of what came since. Null if there is none.
 */
async function readWitnessed(deps: CheckDeps): Promise<Opened | null> {
  const bytes = await deps.reader.witnessedCheckpoint().catch((error: unknown) => {
    // Logs of others have no such route, and answer as they like: what they do not say, they do not say.
    if (error instanceof Finding) return null
    throw error
  })
  if (bytes === null || !parseNote(bytes).ok) return null
  const opened = await openBytes(deps, bytes, "the log's witnessed checkpoint")
  const isFresh = opened.cosignedAt !== null && deps.clock() - opened.cosignedAt <= CLI_LIMITS.witnessedAgeMsMax
  return opened.quorumMet && isFresh ? opened : null
}

async function openBytes(deps: CheckDeps, bytes: Uint8Array, what: string): Promise<Opened> {
  const parsed = parseNote(bytes)
  if (!parsed.ok) throw new Finding('undecided', `${what} is no signed note: ${parsed.reason}`)
  return openNote(deps, parsed.note, what)
}

async function openNote({ policy, verifier }: CheckDeps, note: Note, what: string): Promise<Opened> {
  const keys = { logs: policy.logs.map(({ key }) => key), witnesses: policy.witnesses.map(({ key }) => key) }
  const opened = await openCheckpoint(verifier, keys, note)
  if (!opened.ok) {
    // The policy's log has not spoken: what others say proves nothing against it.
    const verdict = opened.reason === 'bad-signature' ? 'bad' : 'undecided'
    throw new Finding(verdict, `${what} is not one of a log of the policy: ${opened.reason}`)
  }
  const cosigners = new Set(opened.cosignatures.map(({ key }) => key))
  const witnesses = policy.witnesses.filter(({ key }) => cosigners.has(key)).map(({ name }) => name)
  const seconds = Math.max(...opened.cosignatures.map(({ time }) => time ?? 0))
  const cosignedAt = opened.cosignatures.length === 0 ? null : seconds * 1_000
  return { checkpoint: opened.checkpoint, note, witnesses, cosignedAt, quorumMet: isQuorumMet(policy, cosigners) }
}

/** Keeps now and then how far the derivation is, so that one that was interrupted goes on from there. */
function reportProgress(deps: CheckDeps, total: number, save: (whole: TreeEdge) => Promise<void>) {
  let savedAt = 0
  return async (size: number, edge: TreeEdge): Promise<void> => {
    deps.onProgress(size, total)
    if (size % tileWidth !== 0) return
    const isDue = size - savedAt >= CLI_LIMITS.derivedSaveRows || size + tileWidth > total
    if (!isDue) return
    savedAt = size
    await save(edge)
  }
}
