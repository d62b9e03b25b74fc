import { createHash, randomBytes } from 'node:crypto'
import {
  formatNoteKey,
  type NoteKey,
  openCheckpoint,
  type Policy,
  parseNote,
  parsePolicy,
} from '../../src/core/tlog/index.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createAnnounce } from '../../src/db/messages.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import { createTransparency, type TransparencyFeature } from '../../src/features/transparency/feature.js'
import { createLogSigner } from '../../src/features/transparency/log-key.js'
import type { OnStep } from '../../src/features/transparency/sequence/durable-step.js'
import type { TransparencyLog } from '../../src/features/transparency/transparency-log.js'
import { createLogger } from '../../src/platform/logger.js'
import { createMetrics, type Metrics } from '../../src/platform/metrics.js'
import { createNodeVerifier } from '../../src/platform/node-ed25519.js'
import { sha256 } from '../../src/platform/sha256.js'

export const LOG_ORIGIN = 'log.example/receipts'
export const LOG_SEED = new Uint8Array(32).fill(9)

export type LogInstance = {
  readonly feature: TransparencyFeature
  readonly log: TransparencyLog
  readonly metrics: Metrics
  readonly database: Database
  readonly transact: Transact
  /** Appends each group in a transaction of its own. */
  append(...groups: readonly (readonly Uint8Array[])[]): Promise<void>
  close(): Promise<void>
}

export type LogInstanceOptions = {
  readonly url: string
  readonly guard: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'witness' | 'none' }
  readonly origin?: string
  readonly seed?: Uint8Array
  readonly onStep?: OnStep
  /** Other instances are heard of before the start, as the service hears of them. */
  readonly hearsFirst?: boolean
  /** The text of a policy file. */
  readonly policy?: string
}

function policyOf(text: string | undefined): Policy | null {
  const parsed = text === undefined ? null : parsePolicy(sha256, Buffer.from(text))
  if (parsed?.ok === false) throw new Error(`${parsed.reason} in line ${parsed.line}`)
  return parsed === null ? null : parsed.policy
}

/** The key of that log, as a verifier is configured with it. */
export const logKeyText = (): string => formatNoteKey(createLogSigner(LOG_ORIGIN, LOG_SEED).key)

/** The log as one instance of the service runs it. It hears of others once a second. */
export async function startLog({
  url,
  onStep,
  policy,
  hearsFirst,
  ...settings
}: LogInstanceOptions): Promise<LogInstance> {
  const client = { url, schema: 'llmring', connectionsMax: 4, prepare: true, pooled: false }
  const database = await openDatabase(client)
  const transact = createTransact(database.sql)
  const metrics = createMetrics()
  const feature = createTransparency({
    ...{ ...database, transact, metrics, announce: createAnnounce('llmring'), logger: createLogger('silent') },
    settings: { seed: LOG_SEED, origin: LOG_ORIGIN, policy: policyOf(policy), ...settings },
    ...(onStep === undefined ? {} : { onStep }),
  })
  try {
    if (hearsFirst === true) feature.onMissedMessages()
    await feature.start()
  } catch (error) {
    await database.close()
    throw error
  }
  return {
    ...{ feature, metrics, database, transact, log: feature.log },
    append: async (...groups) => {
      for (const entries of groups) await transact((tx) => feature.log.append(tx, entries))
    },
    close: async () => {
      await feature.close()
      await database.close()
    },
  }
}

export const newEntry = (): Uint8Array => randomBytes(32)

const sha = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The root of RFC 6962 section 2.1, as it is written there. */
export function naiveRoot(entries: readonly Uint8Array[]): Buffer {
  const [only] = entries
  if (only === undefined) return sha()
  if (entries.length === 1) return sha(Uint8Array.of(0), only)
  let split = 1
  while (split * 2 < entries.length) split *= 2
  return sha(Uint8Array.of(1), naiveRoot(entries.slice(0, split)), naiveRoot(entries.slice(split)))
}

/** All entries in the order of their indices, which have no holes. Throws if they do. */
export async function readEntries({ sql }: Database): Promise<Buffer[]> {
  const rows = await sql<{ index: string; entry: Buffer }[]>`select index, entry from log_entries order by index`
  for (const [at, { index }] of rows.entries()) if (Number(index) !== at) throw new Error(`there is no index ${at}`)
  return rows.map(({ entry }) => entry)
}

/** Every checkpoint that is kept, each verified against a tree that is made anew from the entries. Their sizes. */
export async function checkCheckpoints(database: Database): Promise<number[]> {
  const entries = await readEntries(database)
  const rows = await database.sql<{ size: string; root: Buffer; note: string }[]>`
    select size, root, note from log_checkpoints order by log_checkpoints.size`
  const { key } = createLogSigner(LOG_ORIGIN, LOG_SEED)
  for (const { size, root, note } of rows) {
    const stated = await openNote(key, note)
    const expected = { size: Number(size), root: naiveRoot(entries.slice(0, Number(size))).toString('hex') }
    const said = { size: stated.size, root: Buffer.from(stated.root).toString('hex') }
    const kept = { size: Number(size), root: root.toString('hex') }
    if (JSON.stringify([said, kept]) !== JSON.stringify([expected, expected])) {
      throw new Error(`the checkpoint of size ${size} is not that of the entries`)
    }
  }
  return rows.map(({ size }) => Number(size))
}

async function openNote(key: NoteKey, text: string) {
  const parsed = parseNote(new TextEncoder().encode(text))
  if (!parsed.ok) throw new Error(parsed.reason)
  const opened = await openCheckpoint(createNodeVerifier(), { logs: [key], witnesses: [] }, parsed.note)
  if (!opened.ok) throw new Error(opened.reason)
  return opened.checkpoint
}
