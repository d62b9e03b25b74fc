import type { Transact, Tx } from '../../../db/transact.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { ReceiptLog } from '../log-port.js'
import type { IssuedCandidate } from '../receipt.js'
import type { ReceiptStore } from '../store.js'
import type { ChainStore } from './chain-store.js'
import { issuedRow } from './commit-receipts.js'

export type ExtendDeps = {
  readonly transact: Transact
  readonly store: Pick<ReceiptStore, 'insert'>
  readonly chains: Pick<ChainStore, 'open' | 'lock' | 'move'>
  readonly log: Pick<ReceiptLog, 'append' | 'refuseWhileSuspended'>
  readonly clock: Clock
  readonly commitMsMax: number
}

/** Runs under the lock of the chain, before anything is signed; false: nothing is to be written. */
export type BeforeSigning = (tx: Tx) => Promise<boolean>

/**
 * Signs one receipt at the end of its project's chain, keeps and logs it, together with what `before` writes. For one
 * whose id was made here. Null, and nothing is kept, if `before` says so.
 *
 * Crash before the commit: nothing is kept. Crash after it: all is, and the client does not know.
 */
export async function extendChain(
  deps: ExtendDeps,
  candidate: IssuedCandidate,
  before: BeforeSigning,
): Promise<Uint8Array | null> {
  const { projectId } = candidate
  deps.log.refuseWhileSuspended()
  await deps.chains.open([projectId], deps.commitMsMax)
  return deps.transact(async (tx) => {
    const [head] = await deps.chains.lock(tx, [projectId])
    if (head === undefined) throw new AppError('conflict', 'The project was erased while this request was under way.')
    if (!(await before(tx))) return null
    const { row, next } = issuedRow(candidate, head, deps.clock())
    await Promise.all([deps.store.insert(tx, [row]), deps.chains.move(tx, [next]), deps.log.append(tx, [row.entry])])
    return row.canonical
  }, deps.commitMsMax)
}
