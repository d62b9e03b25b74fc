import type { ProjectId } from '../../../access/principal.js'
import { formatMembersRoot } from '../../../core/proof/index.js'
import { encodeBase64, makeInclusionProof, readRoot, type TreeDeps, tileWidth } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import { BATCH_LIMITS } from '../limits.js'
import type { BatchIdentity, BatchStore } from './batch-store.js'
import { type LoggedUsage, memberOf, type UsageLogs } from './logged-usage.js'
import { pagesOf, unsettled } from './select-usage.js'

export type MembersDeps = {
  readonly usage: UsageLogs
  readonly store: BatchStore
  /** Throws `not-found` where the project has no such receipt. */
  readonly requireReceipt: (batch: BatchIdentity) => Promise<void>
}

type PageInput = { readonly limit: number; readonly offset: number }

/** The calls that no receipt certifies, newest first. At most `walkRowsMax` calls are looked at. */
export async function listUncertified(deps: MembersDeps, projectId: ProjectId, { limit, offset }: PageInput) {
  const coverage = await deps.store.coverage(projectId)
  const logs: LoggedUsage[] = []
  let [total, seen] = [0, 0]
  for await (const page of pagesOf(deps.usage, projectId, { ...unsettled(coverage), newestFirst: true })) {
    const certified = await deps.store.certified(
      projectId,
      page.map(({ id }) => id),
    )
    for (const row of page) {
      if (certified.has(row.id)) continue
      if (total >= offset && logs.length < limit) logs.push(row)
      total += 1
    }
    seen += page.length
    if (seen >= BATCH_LIMITS.walkRowsMax) break
  }
  return { logs: logs.map(renderRow), total, limit, offset }
}

/** The calls that a receipt certifies, in its order. Of a call that is not kept any more, its id is left. */
export async function listMembers(deps: MembersDeps, batch: BatchIdentity, { limit, offset }: PageInput) {
  await deps.requireReceipt(batch)
  const total = (await deps.store.countMembers(batch)) ?? 0
  const members = total === 0 ? [] : await deps.store.members(batch, offset, limit)
  const ids = members.map(({ logId }) => logId)
  const rows = new Map((await deps.usage.find(batch.projectId, ids)).map((row) => [row.id, row]))
  const logs = members.map(({ logId }) => {
    const row = rows.get(logId)
    return row === undefined ? renderGone(logId) : renderRow(row)
  })
  return { receipt_id: batch.receiptId, logs, total, limit, offset }
}

/**
 * That a receipt certifies a call: its place in the tree, and the way from there to the root that the receipt signs. The
 * member is what is kept of the call now; null after its retention. Throws `not-found`.
 */
export async function proveMember(deps: MembersDeps, batch: BatchIdentity, logId: string) {
  await deps.requireReceipt(batch)
  const count = (await deps.store.countMembers(batch)) ?? 0
  const index = count === 0 ? undefined : await deps.store.positionOf(batch, logId)
  if (index === undefined) throw new AppError('not-found', 'The receipt does not certify such a call.')
  const tree: TreeDeps = { sha256, readTiles: (tiles) => deps.store.readTiles(batch, tiles) }
  const made = await makeInclusionProof(tree, index, count)
  const root = await readRoot(tree, count)
  const [tile] = await deps.store.readTiles(batch, [{ level: 0, index: Math.floor(index / tileWidth) }])
  invariant(made.ok && root.ok && tile != null, 'the tiles of a sealed batch are whole')
  const [row] = await deps.usage.find(batch.projectId, [logId])
  const at = (index % tileWidth) * HASH_BYTES
  return {
    ...{
      member: row === undefined ? null : memberOf(row),
      leaf_hash: encodeBase64(tile.subarray(at, at + HASH_BYTES)),
    },
    ...{ index, count, proof: made.proof.map(encodeBase64), members_root: formatMembersRoot(root.root) },
  }
}

const HASH_BYTES = 32

function renderRow(row: LoggedUsage) {
  const { id, alias, provider, model, cost } = row
  return {
    ...{ id, type: 'usage', alias, provider, model },
    ...{ input_tokens: row.inputTokens, output_tokens: row.outputTokens, cost: Number(cost), cost_decimal: cost },
    ...{ cost_status: row.costStatus, timestamp: row.loggedAt.toISOString() },
  }
}

/** A call that is not kept any more. */
function renderGone(id: string) {
  return {
    ...{ id, type: 'usage', alias: null, provider: null, model: null, input_tokens: null, output_tokens: null },
    ...{ cost: null, cost_decimal: null, cost_status: null, timestamp: null },
  }
}
