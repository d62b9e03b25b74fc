import { randomUUID } from 'node:crypto'
import type { ProjectId } from '../../src/access/principal.js'
import { formatSignature } from '../../src/core/ed25519/index.js'
import { canonicalJson, type JsonObject } from '../../src/core/json/index.js'
import { openDatabase } from '../../src/db/client.js'
import { createTransact } from '../../src/db/transact.js'
import { createReceipts, type ReceiptsDeps, type ReceiptsFeature } from '../../src/features/receipts/feature.js'
import type { KeySettings } from '../../src/features/receipts/signing-keys.js'
import { createLogger } from '../../src/platform/logger.js'
import { createMetrics } from '../../src/platform/metrics.js'
import { createFeatureApp, type FeatureAnswer, type FeatureApp, type FeatureCall } from '../support/feature-app.js'
import { signerOf } from '../unit/proof-fixtures.js'

export const ISSUER = 'receipts.example/log1'
export const START = Date.parse('2026-03-01T12:00:00.000Z')

export type ReceiptsInstance = FeatureApp & {
  readonly receipts: ReceiptsFeature
  /** Moves this instance's clock. */
  advance(milliseconds: number): void
  issue(json: unknown, project: ProjectId): Promise<FeatureAnswer>
  store(receipt: unknown, project: ProjectId): Promise<FeatureAnswer>
  verify(receipt: unknown): Promise<FeatureAnswer>
  close(): Promise<void>
}

export const newProject = (): ProjectId => randomUUID() as ProjectId

/** The configuration of a key whose seed is one byte, repeated. */
export function keyOfByte(byte: number, keyId?: string): KeySettings {
  return { privateKey: Buffer.alloc(32, byte).toString('base64url'), publicKey: undefined, keyId }
}

export const NO_KEY: KeySettings = { privateKey: undefined, publicKey: undefined, keyId: undefined }

/** One instance of the receipts feature on a real database. Its clock stands still unless it is advanced. */
export async function startReceipts(
  url: string,
  config: KeySettings,
  issuer: string = ISSUER,
  patience?: ReceiptsDeps['patience'],
): Promise<ReceiptsInstance> {
  const database = await openDatabase({ url, schema: 'llmring', connectionsMax: 6, prepare: true, pooled: false })
  let now = START
  const receipts = createReceipts({
    ...{ sql: database.sql, orm: database.orm, transact: createTransact(database.sql), clock: () => now },
    ...{ logger: createLogger('silent'), metrics: createMetrics(), config, issuer },
    ...(patience === undefined ? {} : { patience }),
    currentRegistryVersion: (provider) => {
      if (provider === 'openai') return 'openai@7'
      return provider === 'google' ? null : 'anthropic@9+openai@7'
    },
  })
  const close = async () => {
    await receipts.close()
    await database.close()
  }
  await receipts.start().catch(async (error: unknown) => {
    await close()
    throw error
  })
  const feature = createFeatureApp([receipts])
  const post = (path: string, init: FeatureCall) => feature.call(`/api/v1/receipts/${path}`, init)
  return {
    ...feature,
    receipts,
    advance: (milliseconds) => {
      now += milliseconds
    },
    issue: (json, project) => post('issue', { json, project }),
    store: (receipt, project) => post('', { json: { receipt }, project }),
    verify: (receipt) => post('verify', { json: receipt }),
    close,
  }
}

/** What a client says of a call, in the words of the first clients. */
export const CLAIMS = {
  timestamp: '2026-03-01T11:59:58Z',
  registry_version: 'openai@3',
  model: 'gpt-4o-mini',
  alias: 'summarizer',
  profile: 'default',
  lock_digest: 'sha256:9f86d081',
  tokens: { input: 1_200, output: 300 },
  cost: { amount: 0.00036, calculation: '1200 × 0.15 + 300 × 0.60 per million' },
}

/** Signs a document with the key of `byte`, as a program of its own would. */
export function signedBy(byte: number, unsigned: JsonObject): JsonObject & { readonly signature: string } {
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  const { sign } = signerOf(new Uint8Array(32).fill(byte))
  return { ...unsigned, signature: formatSignature(sign(canonical.bytes)) }
}
