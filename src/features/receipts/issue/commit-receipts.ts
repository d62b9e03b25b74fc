import { hash } from 'node:crypto'
import type { ProjectId } from '../../../access/principal.js'
import { classifyFailure } from '../../../db/failure.js'
import type { Transact, Tx } from '../../../db/transact.js'
import type { Clock } from '../../../platform/clock.js'
import { HELD } from '../../../platform/owner-grouping.js'
import type { ReceiptLog } from '../log-port.js'
import type { Candidate, ChainHead, IssuedCandidate, KeptReceipt, NewReceipt, ReceiptIdentity } from '../receipt.js'
import type { ReceiptStore } from '../store.js'
import type { ChainStore } from './chain-store.js'

export type CommitDeps = {
  readonly transact: Transact
  readonly store: Pick<ReceiptStore, 'insert' | 'findMany'>
  readonly chains: ChainStore
  /** Makes sure that the projects have a chain. */
  readonly ensureChains: (projectIds: readonly ProjectId[]) => Promise<void>
  readonly forgetChain: (projectId: ProjectId) => void
  readonly log: Pick<ReceiptLog, 'append' | 'refuseWhileSuspended'>
  readonly clock: Clock
  readonly commitMsMax: number
}

export type Outcome =
  | { readonly status: 'kept'; readonly canonical: Uint8Array }
  | { readonly status: 'taken'; readonly by: KeptReceipt }

/**
 * Keeps a group of receipts in one transaction: the chains of their projects are locked, what has their ids is looked
 * up under that lock, each new one gets its place and its signature, then receipts, heads and pending leaves are
 * written. `HELD` stands for a receipt whose chain another instance has locked; `mayWait` waits for it instead, for a
 * group of one project. Between its place and the commit only the database can refuse a receipt, and then the place is
 * not taken.
 *
 * Crash before the commit: nothing of the group is kept, and no request was answered; what was signed is lost with the
 * process. Crash after it: all of it is kept and no client knows; a request that is repeated with the same id and
 * payload gets the receipt that is kept.
 */
export async function commitReceipts(
  deps: CommitDeps,
  candidates: readonly Candidate[],
  mayWait: boolean,
): Promise<(Outcome | typeof HELD)[]> {
  const projectIds = [...new Set(candidates.map(({ projectId }) => projectId))]
  await deps.ensureChains(projectIds)
  deps.log.refuseWhileSuspended()
  try {
    const { outcomes, heads } = await deps.transact(
      (tx) => placeAndWrite(deps, tx, { projectIds, candidates, mayWait }),
      deps.commitMsMax,
    )
    // Locked elsewhere, or erased meanwhile: whether there is a row is looked at again.
    for (const projectId of projectIds) if (!heads.has(projectId)) deps.forgetChain(projectId)
    return outcomes
  } catch (error) {
    if (mayWait && classifyFailure(error) === 'too-slow') return candidates.map(() => HELD)
    throw error
  }
}

type Group = {
  readonly projectIds: readonly ProjectId[]
  readonly candidates: readonly Candidate[]
  readonly mayWait: boolean
}

async function placeAndWrite(deps: CommitDeps, tx: Tx, { projectIds, candidates, mayWait }: Group) {
  const chosen = candidates.filter((candidate) => candidate.kind === 'stored' || candidate.isIdChosen)
  // Sent together: the look runs after the locks were taken, and sees what their last holders wrote.
  const [locked, found] = await Promise.all([
    mayWait ? deps.chains.lock(tx, projectIds) : deps.chains.lockFree(tx, projectIds),
    chosen.length === 0 ? [] : deps.store.findMany(tx, chosen),
  ])
  const heads = new Map(locked.map((head) => [head.projectId, head]))
  const taken = new Map<string, KeptReceipt>(found.map((row) => [identityOf(row), row]))
  const { rows, outcomes, moved } = place(candidates, { heads, taken, now: deps.clock() })
  if (rows.length > 0) {
    const entries = rows.map(({ entry }) => entry)
    const moves = () => (moved.length === 0 ? undefined : deps.chains.move(tx, moved))
    await Promise.all([deps.store.insert(tx, rows), moves(), deps.log.append(tx, entries)])
  }
  return { outcomes, heads }
}

type Found = {
  readonly heads: ReadonlyMap<ProjectId, ChainHead>
  readonly taken: Map<string, KeptReceipt>
  readonly now: number
}

/** In the order of their arrival. The heads that moved are given as they are then. */
function place(candidates: readonly Candidate[], { heads, taken, now }: Found) {
  const rows: NewReceipt[] = []
  const moved = new Map<ProjectId, ChainHead>()
  const outcomes = candidates.map((candidate): Outcome | typeof HELD => {
    const { projectId } = candidate
    const head = moved.get(projectId) ?? heads.get(projectId)
    if (head === undefined) return HELD
    const identity = identityOf(candidate)
    const by = taken.get(identity)
    if (by !== undefined) return { status: 'taken', by }
    const { row, next } = candidate.kind === 'stored' ? storedRow(candidate, now) : issuedRow(candidate, head, now)
    if (next !== null) moved.set(projectId, next)
    taken.set(identity, row)
    rows.push(row)
    return { status: 'kept', canonical: row.canonical }
  })
  return { rows, outcomes, moved: [...moved.values()] }
}

type Placed = { readonly row: NewReceipt; readonly next: ChainHead | null }

/** The receipt at the place behind `head`, signed; and the head that it then is. */
export function issuedRow(candidate: IssuedCandidate, head: ChainHead, now: number): Placed & { next: ChainHead } {
  const { projectId, id, keyId, requestSha256, legacyRule } = candidate
  const seq = head.lastSeq + 1
  const issuedAt = Math.max(now, head.lastIssuedAt ?? now)
  const canonical = candidate.seal({ seq, prev: head.lastEntry, issuedAt })
  const lastEntry = hash('sha256', canonical, 'hex')
  const entry = Buffer.from(lastEntry, 'hex')
  // Each member is named: spreads between them took as long as the hash.
  const row: NewReceipt = {
    projectId,
    id,
    kind: 'issued',
    keyId,
    requestSha256,
    legacyRule,
    canonical,
    storedAt: issuedAt,
    seq,
    entry,
  }
  return { row, next: { projectId, lastSeq: seq, lastEntry, lastIssuedAt: issuedAt } }
}

function storedRow(candidate: Candidate & { kind: 'stored' }, now: number): Placed {
  const { projectId, id, keyId, requestSha256, legacyRule, canonical } = candidate
  const entry = Buffer.from(hash('sha256', canonical, 'hex'), 'hex')
  return {
    row: {
      ...{ projectId, id, kind: 'stored', keyId, requestSha256, legacyRule },
      ...{ canonical, storedAt: now, seq: null, entry },
    },
    next: null,
  }
}

const identityOf = ({ projectId, id }: ReceiptIdentity): string => `${projectId} ${id}`
