import type { ProjectId } from '../../../access/principal.js'
import type { Tx } from '../../../db/transact.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import { type ExtendDeps, extendChain } from '../issue/extend-chain.js'
import type { SigningKey } from '../keys/signing-keys.js'
import type { ReceiptLog } from '../log-port.js'
import type { ReceiptStore } from '../store.js'
import type { BatchStores } from './batch-export-store.js'
import type { BatchVerbs } from './batch-routes.js'
import { type GenerateDeps, generateReceipt } from './generate-receipt.js'
import { listMembers, listUncertified, proveMember } from './list-members.js'
import type { UsageLogs } from './logged-usage.js'
import { previewReceipt } from './preview-receipt.js'

export type BatchesDeps = Omit<ExtendDeps, 'store' | 'log'> & {
  readonly stores: BatchStores
  readonly clock: Clock
  readonly key: SigningKey | null
  readonly issuer: string
  readonly newId: () => string
  readonly log: ReceiptLog
  readonly store: Pick<ReceiptStore, 'insert' | 'find'>
  readonly usage: UsageLogs
}

/** Receipts over logged calls: what the feature does with them, and what it holds of a project. */
export function createBatches(deps: BatchesDeps) {
  const { usage, clock, key, issuer, newId } = deps
  const { store, writer } = deps.stores
  const extend: GenerateDeps['extendChain'] = (candidate, before) => extendChain(deps, candidate, before)
  const generating = { clock, usage, store, writer, key, issuer, newId, promise: deps.log.promise, extendChain: extend }
  const showing = {
    ...{ usage, store },
    requireReceipt: async ({ projectId, receiptId: id }: { projectId: ProjectId; receiptId: string }) => {
      if ((await deps.store.find({ projectId, id })) === undefined) {
        throw new AppError('not-found', 'There is no such receipt.')
      }
    },
  }
  const verbs: BatchVerbs = {
    generate: (input) => generateReceipt(generating, input),
    preview: (projectId, selection) => previewReceipt({ clock, usage, store }, projectId, selection),
    uncertified: (projectId, page) => listUncertified(showing, projectId, page),
    members: (batch, page) => listMembers(showing, batch, page),
    prove: (batch, logId) => proveMember(showing, batch, logId),
    readPeriod: usage.readPeriod,
  }
  const claimed = (tx: Tx, projectId: ProjectId, logIds: readonly string[]) =>
    writer.claimed(tx, projectId, logIds, new Date(clock()))
  return { verbs, claimed, erase: deps.stores.erase, export: deps.stores.export }
}
