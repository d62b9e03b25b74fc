import { setTimeout as sleep } from 'node:timers/promises'
import {
  formatCheckpoint,
  hashEmptyTree,
  makeConsistencyProof,
  type Note,
  type NoteSignature,
  type Policy,
  parseNote,
  type ReadTiles,
  signNote,
} from '../../../core/tlog/index.js'
import type { Announce } from '../../../db/messages.js'
import type { Transact } from '../../../db/transact.js'
import { monotonicClock } from '../../../platform/clock.js'
import { deadline } from '../../../platform/deadline.js'
import { every } from '../../../platform/every.js'
import type { Logger } from '../../../platform/logger.js'
import type { Metrics } from '../../../platform/metrics.js'
import { createNodeVerifier } from '../../../platform/node-ed25519.js'
import { sha256 } from '../../../platform/sha256.js'
import type { Guard } from '../guard/guard.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { LogSigner } from '../log-key.js'
import type { Published } from '../published.js'
import type { TreeHead } from '../tree-head.js'
import { type Asked, createAskWitness, type Submitted, type Witness } from './ask-witness.js'
import { addCosignatures } from './cosignature-store.js'
import type { LeaseStore } from './lease-store.js'
import { mergeCosignatures } from './merge-cosignatures.js'
import { createPostCheckpoint, type PostCheckpoint } from './post-checkpoint.js'
import { createWitnessLease } from './witness-lease.js'
import { createWitnessLoop, type WitnessLoop } from './witness-loop.js'

export type WitnessesDeps = {
  readonly policy: Policy
  readonly signer: LogSigner
  readonly transact: Transact
  readonly announce: Announce
  readonly published: Published
  readonly readTiles: ReadTiles
  readonly guard: Pick<Guard, 'learn' | 'dispute' | 'known'>
  /** While this log signs nothing, other instances submit. */
  readonly isBarred: () => boolean
  readonly leases: LeaseStore
  /** This instance: a UUID. */
  readonly instance: string
  readonly logger: Logger
  readonly metrics: Metrics
}

export type Witnesses = {
  /** Submits what was signed last, so that each witness says what it has seen; null for a log that has signed nothing. */
  start(newest: (TreeHead & { readonly note: string }) | null): Promise<void>
  close(): Promise<void>
}

/** Submits each published checkpoint to every witness of the policy that has a URL, all at the same time. */
export function createWitnesses(deps: WitnessesDeps): Witnesses {
  const { signer, published, logger } = deps
  const { post, close } = createPostCheckpoint()
  const lease = createWitnessLease({
    ...{ store: deps.leases, holder: deps.instance, now: monotonicClock },
    ...{ mayHold: () => !deps.isBarred(), failingSince: () => allFailingSince(loops) },
  })
  // An instance that cannot go on before a witness has answered asks for itself.
  const mayAsk = () => lease.isHeld() || deps.isBarred() || deps.guard.known().trouble !== null
  const loops = openLoops(deps, post, mayAsk)
  const offer = (checkpoint: Submitted) => {
    for (const loop of loops) loop.offer(checkpoint)
  }
  const look = async () => {
    await lease.look()
    for (const loop of loops) loop.resume()
  }
  const pauseMs = TRANSPARENCY_LIMITS.witnessLookMs
  const looking = every({ name: 'look who submits to the witnesses', logger, pauseMs, run: look })
  const help = '1 while this instance is the one that submits checkpoints to the witnesses.'
  deps.metrics.gauge('llmring_log_submits_to_witnesses', help, () => (lease.isHeld() ? 1 : 0))
  published.onAdvance((checkpoint) => offer(submittedOf(signer, checkpoint)))
  return {
    start: (newest) => {
      offer(
        newest === null
          ? signEmpty(signer)
          : submittedOf(signer, { ...newest, note: new TextEncoder().encode(newest.note) }),
      )
      return looking.start()
    },
    close: async () => {
      await Promise.all([looking.stop(), ...loops.map((loop) => loop.close())])
      // What is not given back lapses.
      const late = () => new Error('late')
      await deadline(lease.release(), TRANSPARENCY_LIMITS.witnessReleaseMsMax, late).catch(() => undefined)
      await close()
    },
  }
}

function openLoops(deps: WitnessesDeps, post: PostCheckpoint, mayAsk: () => boolean): readonly WitnessLoop[] {
  const count = createCounts(deps.metrics)
  const witnesses = deps.policy.witnesses.flatMap(({ name, key, url }) => (url === null ? [] : [{ name, key, url }]))
  return witnesses.map((witness) => {
    const onSize = (size: number) => deps.guard.learn(witness.name, size)
    const asking = { post, prove: proofsOf(deps.readTiles), verifier: createNodeVerifier(), onSize }
    return createWitnessLoop({
      ask: createAskWitness(asking, witness),
      onCosigned: (checkpoint, lines) => keep(deps, checkpoint, lines),
      report: reporter(deps, witness, count),
      ...{ mayAsk, now: monotonicClock, pause },
    })
  })
}

/** Since when no witness cosigns what it is asked to; null: one does, or none was asked. */
function allFailingSince(loops: readonly WitnessLoop[]): number | null {
  const since = loops.map((loop) => loop.failingSince())
  const known = since.filter((one) => one !== null)
  return known.length < since.length || known.length === 0 ? null : Math.max(...known)
}

/** Merges verified lines into the kept note, tells the other instances, and shows the note if it is the newest. */
async function keep(deps: WitnessesDeps, { size, root }: Submitted, lines: readonly NoteSignature[]): Promise<void> {
  const keys = deps.policy.witnesses.map(({ key }) => key)
  const kept = await deps.transact(async (tx) => {
    const merged = await addCosignatures(tx, { size, root }, (note) => mergeCosignatures(note, lines, keys))
    if (merged !== undefined) await deps.announce(tx, { kind: 'log-checkpoint', size, witnesses: merged.witnesses })
    return merged
  })
  if (kept !== undefined) deps.published.advance({ size, root, ...kept })
}

/** The checkpoint as the log signed it, without what others said of it. */
function submittedOf({ key }: LogSigner, { size, root, note }: TreeHead & { readonly note: Uint8Array }): Submitted {
  const parsed = parseNote(note)
  const signatures = parsed.ok ? parsed.note.signatures.filter(({ keyId }) => keyId === key.id) : []
  return { size, root, note: { text: formatCheckpoint({ origin: key.name, size, root }), signatures } }
}

/** The tree without leaves contradicts no other one, so its signature says nothing and asks what a witness has seen. */
function signEmpty(signer: LogSigner): Submitted {
  const root = hashEmptyTree(sha256)
  const text = formatCheckpoint({ origin: signer.key.name, size: 0, root })
  const note: Note = { text, signatures: [signNote(signer, text)] }
  return { size: 0, root, note }
}

function proofsOf(readTiles: ReadTiles) {
  return async (from: number, to: number): Promise<readonly Uint8Array[]> => {
    const made = await makeConsistencyProof({ sha256, readTiles }, from, to)
    if (!made.ok) throw new Error(`no consistency proof from ${from} to ${to}: ${made.reason}`)
    return made.proof
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)

type Count = (witness: string, result: 'cosigned' | 'failed' | 'contradicted') => void

function createCounts(metrics: Metrics): Count {
  const help = 'Checkpoints submitted to witnesses, by what came of it.'
  const family = metrics.counters('llmring_log_witness_submissions_total', help, ['witness', 'result'])
  return (witness, result) => family.series({ witness, result }).increment(1)
}

/** Of failures in a row the first is logged, and what ends them. */
function reporter({ logger, guard }: WitnessesDeps, { name }: Witness, count: Count): (asked: Asked) => void {
  let said: string | null = null
  return (asked) => {
    if (asked.ok || asked.isContradicted) guard.dispute(name, !asked.ok)
    if (asked.ok) {
      count(name, 'cosigned')
      if (said !== null) logger.info({ witness: name }, 'a witness cosigns again')
      said = null
      return
    }
    const { reason, isContradicted } = asked
    count(name, isContradicted ? 'contradicted' : 'failed')
    if (said === reason) return
    said = reason
    if (isContradicted) logger.error({ witness: name, reason }, 'a witness contradicts this log')
    else logger.warn({ witness: name, reason }, 'a witness does not cosign; trying again')
  }
}
