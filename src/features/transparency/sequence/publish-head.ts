import { formatCheckpoint, formatNote, signNote } from '../../../core/tlog/index.js'
import type { Announce } from '../../../db/messages.js'
import type { Transact } from '../../../db/transact.js'
import { saveCheckpoint } from '../checkpoint-store.js'
import type { Guard } from '../guard/guard.js'
import type { LogSigner } from '../log-key.js'
import type { Published } from '../published.js'
import type { TreeHead } from '../tree-head.js'
import type { OnStep } from './durable-step.js'

export type PublishDeps = {
  readonly signer: LogSigner
  readonly guard: Guard
  readonly transact: Transact
  readonly announce: Announce
  readonly published: Published
  readonly onStep: OnStep
}

/**
 * Signs a committed head, remembers it, keeps its note and shows it, in this order. False if another root was signed at
 * this size before: then nothing is shown.
 */
export async function publishHead(deps: PublishDeps, head: TreeHead): Promise<boolean> {
  const { signer, guard, transact, announce, published } = deps
  // Crash here: the tree has grown and its head has no note. Whoever looks next signs it; nobody has seen it.
  await deps.onStep('committed')
  const text = formatCheckpoint({ origin: signer.key.name, ...head })
  const note = new TextDecoder().decode(formatNote({ text, signatures: [signNote(signer, text)] }))
  // Crash here: a signature that never left the process is lost; Ed25519 gives the same one again.
  await deps.onStep('signed')
  await guard.remember(head, note)
  // Crash here: the guard knows a head that the database has committed and that nobody was shown. It is signed again,
  // with the same bytes. If the commit is lost after all, the guard is what notices.
  await deps.onStep('guarded')
  const kept = await transact(async (tx) => {
    const saved = await saveCheckpoint(tx, { ...head, note, witnesses: 0 })
    if (saved !== undefined) await announce(tx, { kind: 'log-checkpoint', size: head.size, witnesses: saved.witnesses })
    return saved
  })
  if (kept === undefined) return false
  // Crash here: the note is kept, and other instances were told. This one shows it when it starts.
  await deps.onStep('saved')
  published.advance(kept)
  return true
}
