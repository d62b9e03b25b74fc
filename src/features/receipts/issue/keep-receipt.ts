import type { ProjectId } from '../../../access/principal.js'
import { classifyFailure, isOutcomeUnknown } from '../../../db/failure.js'
import { AppError } from '../../../platform/errors.js'
import { createOwnerGrouping } from '../../../platform/owner-grouping.js'
import { RECEIPT_LIMITS } from '../limits.js'
import type { Candidate } from '../receipt.js'
import { type CommitDeps, commitReceipts, type Outcome } from './commit-receipts.js'

/** What became of a receipt: its signed bytes if it is kept now, else the one that has its id already. */
export type Keep = (receipt: Candidate) => Promise<Outcome>

export type Keeper = {
  /** Answers after the commit. Throws `overloaded`, `database-unavailable`, `validation-failed`, `log-suspended`. */
  readonly keep: Keep
  readonly depth: () => number
  drain(): Promise<void>
}

export type KeepDeps = Omit<CommitDeps, 'ensureChains' | 'forgetChain' | 'commitMsMax'> & {
  readonly commitMsMax?: number
}

/** Keeps receipts in groups: whatever arrives together shares one transaction (see `commitReceipts`). */
export function createKeeper(deps: KeepDeps): Keeper {
  const { commitMsMax = RECEIPT_LIMITS.commitMsMax } = deps
  const commitDeps = { ...deps, commitMsMax, ...createKnownChains(deps, commitMsMax) }
  const grouping = createOwnerGrouping<Candidate, Outcome>({
    commit: (receipts, mayWait) => commitReceipts(commitDeps, receipts, mayWait),
    isItemFault: (error) => classifyFailure(error) === 'data',
    lanes: RECEIPT_LIMITS.groupLanes,
    companyItemsMin: RECEIPT_LIMITS.companyReceiptsMin,
    companyMsMax: RECEIPT_LIMITS.companyMsMax,
    groupItemsMax: RECEIPT_LIMITS.groupReceiptsMax,
    groupBytesMax: RECEIPT_LIMITS.groupBytesMax,
    queueItemsMax: RECEIPT_LIMITS.queueReceiptsMax,
    queueBytesMax: RECEIPT_LIMITS.queueBytesMax,
    ownerShareMax: RECEIPT_LIMITS.queueShareMax,
    restMs: RECEIPT_LIMITS.chainRestMs,
    restsMax: RECEIPT_LIMITS.chainRestsMax,
    heldMsMax: RECEIPT_LIMITS.chainHeldMsMax,
  })
  return {
    keep: (receipt) =>
      grouping.submit(receipt, receipt.projectId, receipt.bytes).catch((error: unknown) => {
        throw translateFailure(error)
      }),
    depth: grouping.depth,
    drain: grouping.drain,
  }
}

/** Which projects have a chain, as far as this instance remembers: their rows are not made anew for every group. */
function createKnownChains({ chains }: Pick<KeepDeps, 'chains'>, msMax: number) {
  const known = new Set<ProjectId>()
  return {
    ensureChains: async (projectIds: readonly ProjectId[]): Promise<void> => {
      const unknown = projectIds.filter((projectId) => !known.has(projectId))
      if (unknown.length === 0) return
      // Crash after this: an empty chain, which says nothing.
      await chains.open(unknown, msMax)
      if (known.size + unknown.length > RECEIPT_LIMITS.chainsKnownMax) known.clear()
      for (const projectId of unknown) known.add(projectId)
    },
    forgetChain: (projectId: ProjectId): void => void known.delete(projectId),
  }
}

function translateFailure(error: unknown): unknown {
  if (classifyFailure(error) === 'data') {
    return new AppError('validation-failed', 'The database cannot keep this receipt.', { cause: error })
  }
  if (!isOutcomeUnknown(error)) return error
  const detail =
    'The connection to the database was lost while the receipt was being kept: it may or may not be. A request that carries an id can be repeated as it is.'
  return new AppError('database-unavailable', detail, { retryAfterSeconds: 1, cause: error })
}
