import { MANAGES, type ProjectId, READS, READS_RECEIPTS } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { plainBytes, plainJson } from '../../../http/response.js'
import { BATCH_LIMITS } from '../limits.js'
import { ReceiptPath } from '../schema.js'
import * as schema from './batch-schema.js'
import type { BatchIdentity } from './batch-store.js'
import type { Generated, GenerateInput } from './generate-receipt.js'
import type { UsageLogs } from './logged-usage.js'
import { readSelection } from './read-selection.js'
import type { Selection } from './select-usage.js'

type Page = { readonly limit: number; readonly offset: number }

export type BatchVerbs = {
  readonly generate: (input: GenerateInput) => Promise<Generated>
  readonly preview: (projectId: ProjectId, selection: Selection) => Promise<object>
  readonly uncertified: (projectId: ProjectId, page: Page) => Promise<object>
  readonly members: (batch: BatchIdentity, page: Page) => Promise<object>
  readonly prove: (batch: BatchIdentity, logId: string) => Promise<object>
  readonly readPeriod: UsageLogs['readPeriod']
}

const BASE = '/api/v1/receipts'
const shared = { tag: 'Receipts', turns: 'read' } as const
const EXAMPLE = { start_date: '2026-01-01', end_date: '2026-01-31' }
const COMMITS =
  'The receipt signs its sums (`batch_summary`, `tokens`, `cost`) and commits to every call: `usage.members_root` is the root of an RFC 6962 tree over the RFC 8785 bytes of `{log_id, timestamp, provider, model, alias, profile, tokens, cost, cost_status}`, oldest first, and `GET /api/v1/receipts/{id}/logs/{log_id}/proof` proves any of them. A call whose price is still to come (`no_registry`) is left out until it has one.'

/** Before the routes of single receipts: their addresses would be taken for ids. */
export function mountBatches(app: App, guards: Guards, verbs: BatchVerbs): void {
  mountGenerate(app, guards, verbs)
  mountPreview(app, guards, verbs)
  mountLists(app, guards, verbs)
  mountProof(app, guards, verbs)
}

function mountGenerate(app: App, guards: Guards, verbs: BatchVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: `${BASE}/generate`,
    operationId: 'generateReceipt',
    summary: 'Certify calls that were logged',
    description: `By their ids, of a period, or all that no receipt certifies yet. ${COMMITS} A call may be in several receipts if it is named again; \`since_last_receipt\` takes each once.`,
    access: MANAGES,
    problems: ['receipts-not-configured', 'log-suspended', 'nothing-to-certify', 'conflict'],
    body: schema.GenerateBody,
    bodyBytesMax: BATCH_LIMITS.bodyBytesMax,
    bodyExample: { since_last_receipt: true, description: 'January', tags: ['billing'] },
    responseMsMax: BATCH_LIMITS.generateMsMax,
    responses: { 200: { description: 'The signed receipt.', schema: schema.GenerateResponse } },
    handle: async ({ principal: { projectId }, body, signal }) => {
      const selection = readSelection(body, verbs.readPeriod)
      const { description = null, tags = null } = body
      const made = await verbs.generate({ projectId, selection, description, tags, signal: signal() })
      const tail = `,"certified_count":${made.count},"more":${made.more}}`
      return plainBytes(Buffer.concat([RECEIPT, made.receipt, Buffer.from(tail)]))
    },
  })
}

const RECEIPT = Buffer.from('{"receipt":')

function mountPreview(app: App, guards: Guards, verbs: BatchVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'post',
    path: `${BASE}/preview`,
    operationId: 'previewReceipt',
    summary: 'See what a receipt over logged calls would say',
    access: READS,
    body: schema.PreviewBody,
    bodyBytesMax: BATCH_LIMITS.bodyBytesMax,
    bodyExample: EXAMPLE,
    responseMsMax: BATCH_LIMITS.generateMsMax,
    responses: { 200: { description: 'Nothing is signed or kept.', schema: schema.PreviewResponse } },
    handle: async ({ principal, body }) =>
      plainJson(await verbs.preview(principal.projectId, readSelection(body, verbs.readPeriod))),
  })
}

function mountLists(app: App, guards: Guards, verbs: BatchVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/uncertified`,
    operationId: 'listUncertifiedCalls',
    summary: 'List the logged calls that no receipt certifies, newest first',
    description: `At most the newest ${BATCH_LIMITS.walkRowsMax} calls are looked at.`,
    access: READS,
    query: schema.LogsQuery,
    responses: { 200: { description: 'One page.', schema: schema.UncertifiedPage } },
    handle: async ({ principal, query }) => plainJson(await verbs.uncertified(principal.projectId, query)),
  })
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/{id}/logs`,
    operationId: 'listCertifiedCalls',
    summary: 'List the logged calls that a receipt certifies',
    access: READS_RECEIPTS,
    problems: ['not-found'],
    params: ReceiptPath,
    query: schema.LogsQuery,
    responses: { 200: { description: 'One page, in the order of the receipt.', schema: schema.MembersPage } },
    handle: async ({ principal, params, query }) =>
      plainJson(await verbs.members({ projectId: principal.projectId, receiptId: params.id }, query)),
  })
}

function mountProof(app: App, guards: Guards, verbs: BatchVerbs): void {
  mount(app, guards, {
    ...shared,
    method: 'get',
    path: `${BASE}/{id}/logs/{log_id}/proof`,
    operationId: 'proveCertifiedCall',
    summary: 'Prove that a receipt certifies a call',
    description: COMMITS,
    access: READS_RECEIPTS,
    problems: ['not-found'],
    params: schema.MemberPath,
    responses: { 200: { description: 'The call, and its place in the tree.', schema: schema.MembershipProof } },
    handle: async ({ principal, params }) =>
      plainJson(await verbs.prove({ projectId: principal.projectId, receiptId: params.id }, params.log_id)),
  })
}
