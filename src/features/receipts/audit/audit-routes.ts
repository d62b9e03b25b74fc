import { ADMINISTERS, READS_RECEIPTS } from '../../../access/principal.js'
import { formatLogProof, parseNote } from '../../../core/tlog/index.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { NDJSON_TYPE, plainBytes, plainJson } from '../../../http/response.js'
import { invariant } from '../../../platform/invariant.js'
import type { LoggedEntry } from '../log-port.js'
import type { ReceiptIdentity } from '../receipt.js'
import { ReceiptPath } from '../schema.js'
import { AuditPackage, AuditQuery, ErasedReceipt } from './audit-schema.js'
import type { AuditRange } from './export-audit.js'
import { ReceiptProofForms } from './log-schema.js'
import { renderProof } from './wait-logged.js'

export type AuditVerbs = {
  readonly prove: (identity: ReceiptIdentity) => Promise<LoggedEntry>
  readonly exportAudit: (range: AuditRange) => Promise<AsyncGenerator<string>>
  /** Gives the entry that stays. */
  readonly erase: (identity: ReceiptIdentity) => Promise<Uint8Array>
}

const BASE = '/api/v1/receipts'
const tag = 'Receipts'
const TEXT_TYPE = 'text/plain; charset=utf-8'

/** What an auditor asks for, and the erasure that leaves it whole. To be mounted before receipts by their ids. */
export function mountAudit(app: App, guards: Guards, verbs: AuditVerbs): void {
  mountExport(app, guards, verbs)
  mountProof(app, guards, verbs)
  mountErase(app, guards, verbs)
}

function mountExport(app: App, guards: Guards, { exportAudit }: AuditVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/export`,
    tag,
    operationId: 'exportReceipts',
    summary: 'An audit package: every receipt of the chain with its proof',
    description:
      'Lines of JSON: first `{type, origin, checkpoint, keys, policy, statements, end_line}`, then for each place in the chain `{seq, receipt, index, proof}`, all proofs against that one checkpoint, and last `{type: "audit-end", count, last_seq}`: a file without that line was cut off. An erased receipt has its `entry` instead; what the checkpoint does not cover yet has no proof. `llmring-server verify` reads it offline.',
    access: READS_RECEIPTS,
    turns: 'read',
    query: AuditQuery,
    problems: ['not-logged-yet', 'log-suspended'],
    responses: { 200: { description: 'The lines.', schema: AuditPackage, contentType: NDJSON_TYPE } },
    handle: async ({ principal, query }) => {
      const range = { projectId: principal.projectId, fromSeq: query.from_seq, limit: query.limit }
      return { headers: { 'Content-Type': NDJSON_TYPE }, chunks: await exportAudit(range) }
    },
  })
}

function mountProof(app: App, guards: Guards, { prove }: AuditVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/{id}/proof`,
    tag,
    operationId: 'proveReceipt',
    summary: 'That a receipt is in the log',
    description:
      'The proof holds under the checkpoint that comes with it: a `.tlog-proof` file (c2sp.org/tlog-proof), or JSON if `Accept` names it. Its entry is the SHA-256 of the receipt as it was signed.',
    access: READS_RECEIPTS,
    params: ReceiptPath,
    problems: ['not-found', 'not-logged-yet', 'log-suspended'],
    responses: {
      200: {
        description: 'The proof.',
        schema: ReceiptProofForms,
        contentType: ['text/plain', 'application/json'],
      },
    },
    handle: async ({ principal, params, header }) => {
      const proof = await prove({ projectId: principal.projectId, id: params.id })
      if (wantsJson(header('accept'))) return plainJson(renderProof(proof))
      return plainBytes(proofFile(proof), { 'Content-Type': TEXT_TYPE })
    },
  })
}

function mountErase(app: App, guards: Guards, { erase }: AuditVerbs): void {
  mount(app, guards, {
    method: 'delete',
    path: `${BASE}/{id}`,
    tag,
    operationId: 'eraseReceipt',
    summary: 'Erase the body of a receipt',
    description:
      'Its entry stays in the log and its place in the chain is kept, so every proof still holds; whoever has a copy can still verify it. Its id is free again. With a batch receipt goes the list of its calls, which count as not certified again.',
    access: ADMINISTERS,
    params: ReceiptPath,
    problems: ['not-found'],
    responses: { 200: { description: 'It is gone.', schema: ErasedReceipt } },
    handle: async ({ principal, params: { id } }) => {
      const entry = await erase({ projectId: principal.projectId, id })
      return plainJson({ receipt_id: id, deleted: true, entry: `sha256:${Buffer.from(entry).toString('hex')}` })
    },
  })
}

/** Whether `Accept` names JSON and not text (RFC 9110, 12.5.1); whoever takes anything gets the proof file. */
function wantsJson(accept = ''): boolean {
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase())
  return ranges.includes('application/json') && !ranges.includes('text/plain')
}

function proofFile({ index, proof, checkpoint }: LoggedEntry): Uint8Array<ArrayBuffer> {
  const parsed = parseNote(checkpoint)
  invariant(parsed.ok, 'a published checkpoint is a note')
  return new Uint8Array(formatLogProof({ extra: null, index, proof, checkpoint: parsed.note }))
}
