import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { ReadHeader } from '../../http/presented-key.js'
import type { Clock } from '../../platform/clock.js'
import { createIds } from '../../platform/ids.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { createNodeVerifier } from '../../platform/node-ed25519.js'
import type { Feature } from '../contract.js'
import { createAuditStore } from './audit/audit-store.js'
import { createEntryPages } from './audit/entries-store.js'
import { eraseReceipt } from './audit/erase-receipt.js'
import { createErasureStore, type ErasureStore } from './audit/erasure-store.js'
import { exportAudit } from './audit/export-audit.js'
import { proveReceipt } from './audit/prove-receipt.js'
import { waitLogged } from './audit/wait-logged.js'
import { createBatchStores } from './batch/batch-export-store.js'
import { mountBatches } from './batch/batch-routes.js'
import { createBatches } from './batch/batches.js'
import type { UsageLogs } from './batch/logged-usage.js'
import { checkReceiptText } from './check-receipt.js'
import { exampleReceipt } from './example-receipt.js'
import { createChainStore, exportChain } from './issue/chain-store.js'
import { type CurrentRegistryVersion, issueReceipt, type ReceiptClaims } from './issue/issue-receipt.js'
import { createKeeper, type Keep } from './issue/keep-receipt.js'
import { mountClientKeys } from './keys/client-key-routes.js'
import { createClientKeyStore } from './keys/client-key-store.js'
import { createClientKeys } from './keys/client-keys.js'
import { createKeyDocuments, type KeyDocuments } from './keys/key-documents.js'
import { createKeyRing, type KeyRing } from './keys/key-ring.js'
import { registerKey } from './keys/register-key.js'
import { type KeySettings, loadPreviousKey, loadSigningKey, type SigningKey } from './keys/signing-keys.js'
import { createStatementStore } from './keys/statement-store.js'
import { RECEIPT_LIMITS } from './limits.js'
import type { ReceiptLog } from './log-port.js'
import { exportReceipts, findReceipt, listReceipts } from './read-receipts.js'
import { mountReceipts, type ReceiptVerbs } from './routes.js'
import { createKeyStore, createReceiptStore, type ReceiptStore } from './store.js'
import { storeReceipt } from './store-receipt.js'

export type ReceiptsDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly config: KeySettings
  /** The log's origin: who says what we sign. */
  readonly issuer: string
  readonly currentRegistryVersion: CurrentRegistryVersion
  readonly log: ReceiptLog
  /** The calls that batch receipts certify. */
  readonly usage: UsageLogs
  /** The project whose key a request presents, where none is asked for. */
  readonly findProject: (header: ReadHeader) => Promise<ProjectId | null>
  /** How long a group's statements are waited for; tests shorten it. */
  readonly patience?: { readonly commitMsMax: number }
}

/** The entries of all receipts, page by page: what the log should hold. */
export function pageReceiptEntries(sql: Sql) {
  return createEntryPages(sql)
}

export type ReceiptsFeature = ReturnType<typeof createReceipts>

/** The id of the newest key that signs, or has signed, in this database; undefined if none ever did. */
export async function findKnownKeyId(orm: Orm): Promise<string | undefined> {
  const [newest] = await createKeyStore(orm).list()
  return newest?.keyId
}

/** Every key that signs, or has signed, in this database, newest first. */
export const listSigningKeys = (orm: Orm) => createKeyStore(orm).list()

/** Receipts: issued, stored, verified and shown. Throws `KeyConfigurationError` for keys that cannot be used. */
export function createReceipts(deps: ReceiptsDeps) {
  const { clock, log, metrics } = deps
  const key = loadSigningKey(deps.config)
  const { commitMsMax } = deps.patience ?? RECEIPT_LIMITS
  const store = createReceiptStore(deps)
  const chains = createChainStore(deps.sql)
  const erasures = createErasureStore(deps.sql)
  const keyStore = createKeyStore(deps.orm)
  const ring = createKeyRing({ own: key, listKeys: keyStore.list, clock, logger: deps.logger })
  const keeper = createKeeper({ transact: deps.transact, store, chains, log, clock, commitMsMax })
  metrics.gauge('llmring_receipts_queue_depth', 'Receipts that wait to be written.', keeper.depth)
  const keys = createKeyDocuments(ring, createStatementStore(deps.orm).listStatements)
  const newId = createReceiptIds(clock)
  const batches = createBatches({ ...deps, stores: createBatchStores(deps), key, newId, store, chains, commitMsMax })
  const clientKeys = createClientKeys({ ...deps, store: createClientKeyStore(deps), ring })
  const verbs = createVerbs(deps, { key, newId, ring, store, erasures, keys, clientKeys, keep: keeper.keep })
  return {
    name: 'receipts',
    mount: (app, guards) => {
      mountClientKeys(app, guards, clientKeys)
      mountBatches(app, guards, batches.verbs)
      mountReceipts(app, guards, verbs, { keys, example: exampleReceipt(key) })
    },
    /** Registers the key and learns those of other instances. Throws `KeyConfigurationError` for an id that is taken. */
    start: () => startKeys(deps, ring, keyStore),
    close: keeper.drain,
    erase: inTurn([batches.erase, clientKeys.erase, erasures.eraseChunk, store.eraseChunk]),
    export: {
      receipt: (projectId, after, rowsMax) => exportReceipts(store.exportPage, projectId, after, rowsMax),
      receipt_erasure: erasures.exportPage,
      receipt_chain: (projectId) => exportChain(deps.sql, projectId),
      ...batches.export,
      receipt_key: clientKeys.exportAll,
    },
    /** Those of a project's calls whose cost may not change, as a receipt certifies it or is about to. */
    claimed: batches.claimed,
    /** Issues a receipt of a call that went through this service. */
    issueObserved: (projectId: ProjectId, claims: ReceiptClaims) =>
      issueReceipt({ ...deps, key, newId, keep: keeper.keep }, projectId, claims, 'server_observed'),
    newReceiptId: newId,
    keyState: { canIssue: key?.sign != null, keyId: key?.keyId ?? null },
  } satisfies Feature & Record<string, unknown>
}

type Parts = {
  readonly key: SigningKey | null
  readonly ring: KeyRing
  readonly store: ReceiptStore
  readonly erasures: ErasureStore
  readonly keys: KeyDocuments
  readonly clientKeys: ReturnType<typeof createClientKeys>
  readonly newId: () => string
  readonly keep: Keep
}

function createVerbs(deps: ReceiptsDeps, parts: Parts): ReceiptVerbs {
  const { key, newId, ring, store, erasures, keys, clientKeys, keep } = parts
  const { clock, issuer, log, metrics, currentRegistryVersion } = deps
  const issued = metrics.counter('llmring_receipts_issued_total', 'Receipts that were asked for and answered.')
  const issuing = { key, clock, issuer, newId, currentRegistryVersion, log, keep }
  const checking = { verifier: createNodeVerifier(), ring, issuer }
  const storing = { ...checking, findKeys: clientKeys.find, keep }
  const auditing = { readLinks: createAuditStore(deps.sql), log, keys: keys.list, statements: keys.statements }
  return {
    issue: async (projectId, claims) => {
      const receipt = await issueReceipt(issuing, projectId, claims)
      issued.increment()
      return receipt
    },
    waitLogged: (canonical, wish, ends) => waitLogged(log, canonical, wish, ends),
    store: (projectId, text) => storeReceipt(storing, projectId, text),
    verify: (text, header) => checkReceiptText({ ...checking, projectKeys: () => clientKeys.findFor(header) }, text),
    find: (identity) => findReceipt(store, identity),
    list: (input) => listReceipts(store.listPage, input),
    prove: (identity) => proveReceipt({ store, log }, identity),
    exportAudit: (range) => exportAudit(auditing, range),
    erase: (identity) => eraseReceipt({ store: erasures, clock }, identity),
  }
}

async function startKeys(deps: ReceiptsDeps, ring: KeyRing, store: ReturnType<typeof createKeyStore>): Promise<void> {
  const { own } = ring
  if (own !== null) {
    const previous = loadPreviousKey(deps.config)
    const statements = createStatementStore(deps.orm)
    const { endedAt } = await registerKey({ ...deps, store, statements, previous }, own)
    if (own.sign !== null && endedAt !== null) {
      const since = endedAt.toISOString()
      deps.logger.warn({ key_id: own.keyId, since }, 'receipts are signed with a key that a newer one has followed')
    }
  }
  await ring.load()
}

type EraseChunk = (projectId: ProjectId, rowsMax: number) => Promise<number>

/** Each goes on where the one before has nothing left. */
function inTurn(chunks: readonly EraseChunk[]): EraseChunk {
  return async (projectId, rowsMax) => {
    for (const chunk of chunks) {
      const count = await chunk(projectId, rowsMax)
      if (count > 0) return count
    }
    return 0
  }
}

function createReceiptIds(clock: Clock): () => string {
  const newId = createIds()
  return () => `rcpt_${newId(clock())}`
}
