import { formatSignature } from '../../core/ed25519/index.js'
import { canonicalJson } from '../../core/json/index.js'
import { formatCheckpoint, formatNote, signNote } from '../../core/tlog/index.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { invariant } from '../../platform/invariant.js'
import { sha256 } from '../../platform/sha256.js'
import type { Guard } from './guard/guard.js'
import { judgeHead } from './guard/guard.js'
import { writeGuardFile } from './guard/guard-file.js'
import type { BarReason } from './guard/suspension.js'
import type { LogSigner } from './log-key.js'
import { insertPending } from './sequence/pending-store.js'
import { lockSequence, readerIn, readHead } from './sequence/sequence-store.js'
import { insertStatement } from './statement-store.js'
import type { TreeHead } from './tree-head.js'

export type AcceptDeps = {
  readonly transact: Transact
  readonly clock: Clock
  readonly signer: LogSigner
  readonly guard: Guard
  /** Where the guard remembers. */
  readonly path: string
}

export type Acceptance = {
  /** What the guard remembered; null if that could not be read. */
  readonly remembered: TreeHead | null
  readonly head: TreeHead
  /** Why the head is refused; null if it is not, and there is nothing to accept. */
  readonly reason: BarReason | null
}

/** What would be accepted. Changes nothing. */
export async function readAcceptance({ transact, guard }: Pick<AcceptDeps, 'transact' | 'guard'>): Promise<Acceptance> {
  await guard.recall()
  const remembered = guard.known()
  return transact(async (tx) => {
    const { noted: _, ...head } = await readHead(tx)
    return { remembered: remembered.newest, head, reason: await judgeHead(remembered, head, readerIn(tx)) }
  })
}

/**
 * Takes the head of the database for the log's own, whatever the guard remembers, and writes that down as a statement
 * which is itself an entry of the log. Nothing is done if the head is not refused.
 */
export async function acceptHead(deps: AcceptDeps): Promise<Acceptance> {
  const { transact, signer, guard, path } = deps
  await guard.recall()
  const remembered = guard.known()
  const acceptance = await transact(async (tx) => {
    // No instance numbers leaves until the statement is committed.
    await lockSequence(tx)
    const { noted: _, ...head } = await readHead(tx)
    const reason = await judgeHead(remembered, head, readerIn(tx))
    if (reason === null) return { remembered: remembered.newest, head, reason }
    const canonical = stateAcceptance(deps, remembered.newest, head)
    const entry = sha256(canonical)
    const statedAt = new Date(deps.clock())
    await insertStatement(tx, { entry, kind: 'head-acceptance/v1', canonical, statedAt })
    await insertPending(tx, [entry])
    // Crash before the commit: nothing was accepted.
    return { remembered: remembered.newest, head, reason }
  })
  if (acceptance.reason === null) return acceptance
  // Crash here: the statement is in the log and the guard still refuses. Run again, it is stated once more.
  const text = formatCheckpoint({ origin: signer.key.name, ...acceptance.head })
  await writeGuardFile(path, new TextDecoder().decode(formatNote({ text, signatures: [signNote(signer, text)] })))
  return acceptance
}

/** The signed canonical statement. */
function stateAcceptance({ signer, clock }: AcceptDeps, from: TreeHead | null, to: TreeHead): Uint8Array {
  const shown = ({ size, root }: TreeHead) => ({ size, root: Buffer.from(root).toString('base64') })
  const said = {
    ...{ type: 'head-acceptance/v1', issuer: signer.key.name, at: new Date(clock()).toISOString() },
    ...{ remembered: from === null ? null : shown(from), accepted: shown(to) },
  }
  const unsigned = canonicalJson(said)
  invariant(unsigned.ok, 'a statement is plain JSON')
  const signed = canonicalJson({ ...said, signature: formatSignature(signer.sign(unsigned.bytes)) })
  invariant(signed.ok, 'a signed statement is plain JSON')
  return signed.bytes
}
