import type { ProjectId } from '../../../access/principal.js'
import {
  type BatchContent,
  buildBatchReceipt,
  draftReceipt,
  formatMembersRoot,
  hashMember,
  type LogPromise,
  sealReceipt,
} from '../../../core/proof/index.js'
import { appendLeaves, emptyTree, rootOfEdge } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import type { BeforeSigning } from '../issue/extend-chain.js'
import type { SigningKey } from '../keys/signing-keys.js'
import { BATCH_LIMITS } from '../limits.js'
import type { IssuedCandidate } from '../receipt.js'
import { refusePayload } from '../refusal.js'
import type { BatchIdentity, BatchStore, Coverage, Settled } from './batch-store.js'
import type { BatchWriter } from './batch-write-store.js'
import { memberOf } from './logged-usage.js'
import { type SelectDeps, type Selection, selectUsage } from './select-usage.js'
import { createTally } from './tally-usage.js'

export type GenerateDeps = SelectDeps & {
  readonly key: SigningKey | null
  readonly issuer: string
  readonly promise: LogPromise
  readonly newId: () => string
  readonly store: Pick<BatchStore, 'certified' | 'coverage'>
  readonly writer: BatchWriter
  /**
   * In one transaction, under the lock of the project's chain: signs at the chain's end, keeps and logs the receipt.
   * Null if `before` answers false.
   */
  readonly extendChain: (receipt: IssuedCandidate, before: BeforeSigning) => Promise<Uint8Array | null>
}

export type GenerateInput = {
  readonly projectId: ProjectId
  readonly selection: Selection
  readonly description: string | null
  readonly tags: readonly string[] | null
  /** Aborted when nothing waits for the receipt any more. */
  readonly signal: AbortSignal
}

/** The canonical bytes of the receipt, and whether there may be more to certify than one receipt holds. */
export type Generated = { readonly receipt: Uint8Array; readonly count: number; readonly more: boolean }

type Filled = {
  readonly content: Omit<BatchContent, 'description' | 'tags'>
  readonly settled: Settled | null
}

/**
 * Certifies logged calls: signs their sums and the root of a tree over each of them. Throws
 * `receipts-not-configured`, `nothing-to-certify`, `validation-failed`, and `conflict` if other batches of the project
 * came first again and again.
 *
 * The members are written before the chain is locked, so that a large batch keeps no receipt waiting; they certify
 * nothing until the batch is sealed. "Since the last receipt" means what no batch had certified when this one was
 * sealed: if another batch was sealed meanwhile, all begins anew.
 */
export async function generateReceipt(deps: GenerateDeps, input: GenerateInput): Promise<Generated> {
  const { projectId } = input
  requireSigner(deps.key)
  const now = new Date(deps.clock())
  for (const receiptId of await deps.writer.leftovers(projectId, now)) await deps.writer.drop({ projectId, receiptId })
  for (let tries = 0; tries < BATCH_LIMITS.triesMax; tries += 1) {
    const generated = await tryOnce(deps, input)
    if (generated !== null) return generated
  }
  throw new AppError('conflict', 'Other receipts are being made, or prices changed, of the same calls; try again.')
}

/** Null if another batch came first, or a price changed meanwhile. */
async function tryOnce(deps: GenerateDeps, input: GenerateInput): Promise<Generated | null> {
  const batch = { projectId: input.projectId, receiptId: deps.newId() }
  const coverage = await deps.store.coverage(batch.projectId)
  let isSealed = false
  try {
    const filled = await fill(deps, batch, input, coverage)
    if (filled === null) return null
    // Crash here: a batch that is not sealed is left behind, which certifies nothing and is swept.
    const receipt = await seal(deps, batch, input, filled, coverage)
    isSealed = receipt !== null
    const { count } = filled.content
    const more = input.selection.kind === 'since-last' && count > BATCH_LIMITS.membersMax - BATCH_LIMITS.pageRowsMax
    return receipt === null ? null : { receipt, count, more }
  } finally {
    // If the outcome is not known: this waits for whoever is sealing it, and then finds it sealed.
    if (!isSealed) await deps.writer.drop(batch).catch(() => undefined)
  }
}

/** Null if the price of a call changed before it was written down as a member. */
async function fill(
  deps: GenerateDeps,
  batch: BatchIdentity,
  input: GenerateInput,
  coverage: Coverage,
): Promise<Filled | null> {
  const tally = createTally()
  const logIds: string[] = []
  let edge = emptyTree
  let settled: Settled | null = null
  let pagesPassed = 0
  // All that was looked at is certified: a request that has no time to find a call leaves less to the next one.
  const noteSettled = async (): Promise<void> => {
    if (tally.count() > 0 || settled === null) return
    await deps.writer.settle(batch.projectId, coverage.generation, settled)
  }
  for await (const page of selectUsage(deps, batch.projectId, input.selection, coverage)) {
    if (input.signal.aborted) throw new AppError('timed-out', 'The request took too long; nothing was certified.')
    const { rows } = page
    settled = page.settled
    if (rows.length === 0) {
      pagesPassed += 1
      if (pagesPassed % BATCH_LIMITS.settlePagesMin === 0) await noteSettled()
      continue
    }
    if (tally.count() === 0) await deps.writer.begin(batch, new Date(deps.clock()))
    const leaves = rows.map((row) => {
      tally.add(row)
      const leaf = hashMember(sha256, memberOf(row))
      invariant(leaf !== null, 'what was logged has a canonical form')
      return leaf
    })
    const grown = appendLeaves(sha256, edge, leaves)
    const members = { first: edge.size, rows, tiles: grown.tiles }
    if (!(await deps.writer.addMembers(batch, members, deps.usage.isStill))) return null
    edge = grown.edge
    if (edge.size <= BATCH_LIMITS.logIdsShownMax) logIds.push(...rows.map(({ id }) => id))
  }
  await noteSettled()
  if (tally.count() === 0) throw new AppError('nothing-to-certify', 'There are no such calls to certify.')
  const membersRoot = formatMembersRoot(rootOfEdge(sha256, edge))
  const shown = edge.size <= BATCH_LIMITS.logIdsShownMax ? logIds : null
  return { content: { ...tally.totals(), membersRoot, logIds: shown }, settled }
}

function requireSigner(key: SigningKey | null) {
  if (key?.sign != null) return { keyId: key.keyId, sign: key.sign }
  throw new AppError('receipts-not-configured', 'No private key is configured here, so no receipts can be issued.')
}

async function seal(
  deps: GenerateDeps,
  batch: BatchIdentity,
  { selection, description, tags }: GenerateInput,
  { content, settled }: Filled,
  coverage: Coverage,
): Promise<Uint8Array | null> {
  const { keyId, sign } = requireSigner(deps.key)
  const now = new Date(deps.clock())
  const context = { now, issuer: deps.issuer, project: batch.projectId, keyId, id: batch.receiptId, log: deps.promise }
  const drafted = draftReceipt(buildBatchReceipt({ ...content, description, tags }, context))
  if (!drafted.ok) throw refusePayload(drafted)
  const { draft } = drafted
  const candidate: IssuedCandidate = {
    ...{
      projectId: batch.projectId,
      id: batch.receiptId,
      kind: 'issued',
      keyId,
      requestSha256: null,
      legacyRule: null,
    },
    ...{ isIdChosen: false, bytes: draft.bytesMax, seal: (at) => sealReceipt({ sign }, draft, at) },
  }
  return deps.extendChain(candidate, async (tx) => {
    const isOvertaken =
      selection.kind === 'since-last' && (await deps.writer.generation(tx, batch.projectId)) !== coverage.generation
    if (!isOvertaken) await deps.writer.seal(tx, batch, { at: now, count: content.count, settled })
    return !isOvertaken
  })
}
