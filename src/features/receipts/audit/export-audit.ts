import type { ProjectId } from '../../../access/principal.js'
import { RECEIPT_LIMITS } from '../limits.js'
import type { LogSnapshot, ReceiptLog } from '../log-port.js'
import type { ChainLink, ReadLinks } from './audit-store.js'
import { notLogged } from './prove-receipt.js'

export type AuditDeps = {
  readonly readLinks: ReadLinks
  readonly log: Pick<ReceiptLog, 'snapshot' | 'promise'>
  /** The document of the public keys, as JSON. */
  readonly keys: () => Promise<string | undefined>
  /** The statements of changed keys, a canonical JSON text a line. */
  readonly statements: () => Promise<string>
}

export type AuditRange = {
  readonly projectId: ProjectId
  readonly fromSeq: number
  /** Of receipts; absent: all there are. */
  readonly limit: number | undefined
}

/**
 * All that an auditor needs, as lines of JSON: `{type: "audit-package", origin, checkpoint, keys, policy, statements,
 * end_line: true}`, then a line for each place in the chain, and `{type: "audit-end", count, last_seq}`, by which a file
 * that was cut off is told. A place is `{seq, receipt, index, proof}`, with every proof against that one checkpoint. An erased
 * receipt has its `entry` instead, so that `prev` of the next one still leads to it; one that the checkpoint does not
 * cover yet has neither index nor proof. Read page by page: the chain only grows, so a later page goes on behind the one
 * before. Throws `not-logged-yet` while the log has no checkpoint.
 */
export async function exportAudit(deps: AuditDeps, range: AuditRange): Promise<AsyncGenerator<string>> {
  const snapshot = await deps.log.snapshot()
  if (snapshot === null) throw notLogged('The log has no checkpoint yet.')
  const keys = (await deps.keys()) ?? '{"keys":[]}'
  const statements = (await deps.statements()).trimEnd().split('\n').join(',')
  return lines(deps, range, snapshot, renderHead(deps.log.promise.origin, snapshot, keys, statements))
}

async function* lines(
  { readLinks }: AuditDeps,
  { projectId, fromSeq, limit = Number.POSITIVE_INFINITY }: AuditRange,
  snapshot: LogSnapshot,
  head: string,
): AsyncGenerator<string> {
  yield head
  let [next, left] = [fromSeq, limit]
  let [count, lastSeq] = [0, 'null']
  while (left > 0) {
    const page = await readLinks(projectId, next, Math.min(left, RECEIPT_LIMITS.auditPageMax))
    const last = page.at(-1)
    if (last === undefined) break
    const places = await snapshot.prove(page.map(({ entry }) => entry))
    yield page.map((link, at) => renderLine(link, places[at] ?? null)).join('')
    next = last.seq + 1
    left -= page.length
    count += page.length
    lastSeq = String(last.seq)
  }
  yield `{"type":"audit-end","count":${count},"last_seq":${lastSeq}}\n`
}

function renderHead(origin: string, { checkpoint, policy }: LogSnapshot, keys: string, statements: string): string {
  const note = JSON.stringify(Buffer.from(checkpoint).toString('utf8'))
  return `{"type":"audit-package","origin":${JSON.stringify(origin)},"checkpoint":${note},"keys":${keys},"policy":${JSON.stringify(policy)},"statements":[${statements}],"end_line":true}\n`
}

/** The receipt stands there as it was signed: parsing it would write its members anew. */
function renderLine(
  { seq, canonical, entry }: ChainLink,
  place: { readonly index: number; readonly proof: readonly Uint8Array[] } | null,
): string {
  const what =
    canonical === null
      ? `"entry":"sha256:${Buffer.from(entry).toString('hex')}"`
      : `"receipt":${Buffer.from(canonical).toString('utf8')}`
  if (place === null) return `{"seq":${seq},${what}}\n`
  const proof = place.proof.map((hash) => Buffer.from(hash).toString('base64'))
  return `{"seq":${seq},${what},"index":${place.index},"proof":${JSON.stringify(proof)}}\n`
}
