import { classifyFailure, isOutcomeUnknown } from '../../db/failure.js'
import type { Transact } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import { createGrouping, type Grouping } from '../../platform/grouping.js'
import { RECEIPT_LIMITS } from './limits.js'
import type { KeptReceipt, NewReceipt, ReceiptIdentity } from './receipt.js'
import type { ReceiptStore } from './store.js'

/** What became of a receipt: null where it is kept now, else the one that has its id already. */
export type Keep = (receipt: NewReceipt) => Promise<KeptReceipt | null>

export type Keeper = {
  /** Answers after the commit. Throws `overloaded`, `database-unavailable`, `validation-failed`, `conflict`. */
  readonly keep: Keep
  readonly depth: () => number
  drain(): Promise<void>
}

export type KeepDeps = {
  readonly transact: Transact
  readonly store: Pick<ReceiptStore, 'insertNew' | 'findMany'>
  readonly commitMsMax?: number
}
type Outcome =
  | { readonly status: 'kept' }
  | { readonly status: 'taken'; readonly by: KeptReceipt }
  /** It was there when we inserted and is not any more: its project was erased. */
  | { readonly status: 'gone' }
  | { readonly status: 'undecided'; readonly error: unknown }

/** Keeps receipts in groups: whatever arrives together is one insert, and one look at what was there already. */
export function createKeeper(deps: KeepDeps): Keeper {
  const grouping: Grouping<NewReceipt, Outcome> = createGrouping({
    commit: (receipts) => commitReceipts(deps, receipts),
    isItemFault: (error) => classifyFailure(error) === 'data',
    lanes: RECEIPT_LIMITS.groupLanes,
    companyItemsMin: RECEIPT_LIMITS.companyReceiptsMin,
    companyMsMax: RECEIPT_LIMITS.companyMsMax,
    groupItemsMax: RECEIPT_LIMITS.groupReceiptsMax,
    groupBytesMax: RECEIPT_LIMITS.groupBytesMax,
    queueItemsMax: RECEIPT_LIMITS.queueReceiptsMax,
    queueBytesMax: RECEIPT_LIMITS.queueBytesMax,
    ownerShareMax: RECEIPT_LIMITS.queueShareMax,
  })
  return {
    keep: async (receipt) => {
      const { projectId, canonical } = receipt
      const outcome = await grouping.submit(receipt, projectId, canonical.length).catch((error: unknown) => {
        throw translateFailure(error)
      })
      return settle(outcome)
    },
    depth: grouping.depth,
    drain: grouping.drain,
  }
}

async function commitReceipts(deps: KeepDeps, receipts: readonly NewReceipt[]): Promise<Outcome[]> {
  const firsts = new Map<string, NewReceipt>()
  for (const receipt of receipts) if (!firsts.has(identityOf(receipt))) firsts.set(identityOf(receipt), receipt)
  // Crash before the commit: nothing of the group is kept, and no request was answered. Crash after it: all of it is
  // kept and no client knows; a request that is repeated with the same id and payload gets the receipt that is kept.
  const { commitMsMax = RECEIPT_LIMITS.commitMsMax } = deps
  const fresh = await deps.transact((tx) => deps.store.insertNew(tx, [...firsts.values()]), commitMsMax)
  const inserted = new Set(fresh.map(identityOf))
  const missing = [...firsts].filter(([identity]) => !inserted.has(identity)).map(([, receipt]) => receipt)
  const found = await findTaken(deps, missing)
  return receipts.map((receipt) => {
    const identity = identityOf(receipt)
    const first = firsts.get(identity) ?? receipt
    if (!inserted.has(identity)) return found(identity)
    return first === receipt ? { status: 'kept' } : { status: 'taken', by: first }
  })
}

/** A look that fails is the trouble of those who need it: what was inserted beside them is committed. */
async function findTaken(
  { store }: KeepDeps,
  missing: readonly ReceiptIdentity[],
): Promise<(identity: string) => Outcome> {
  if (missing.length === 0) return () => ({ status: 'gone' })
  try {
    const rows = new Map((await store.findMany(missing)).map((row) => [identityOf(row), row]))
    return (identity) => {
      const by = rows.get(identity)
      return by === undefined ? { status: 'gone' } : { status: 'taken', by }
    }
  } catch (error) {
    return () => ({ status: 'undecided', error })
  }
}

function settle(outcome: Outcome): KeptReceipt | null {
  if (outcome.status === 'kept') return null
  if (outcome.status === 'taken') return outcome.by
  if (outcome.status === 'undecided') throw outcome.error
  throw new AppError('conflict', 'The receipt that had this id was erased while this request was under way.')
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

const identityOf = ({ projectId, id }: ReceiptIdentity): string => `${projectId} ${id}`
