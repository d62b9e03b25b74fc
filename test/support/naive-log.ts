import {
  formatCheckpoint,
  formatNote,
  formatPolicy,
  hashLeaf,
  makeNoteKey,
  parsePolicy,
  policyBytesMax,
  signNote,
} from '../../src/core/tlog/index.js'
import type { Sql } from '../../src/db/client.js'
import type { ReceiptsDeps } from '../../src/features/receipts/feature.js'
import { insertPending } from '../../src/features/transparency/sequence/pending-store.js'
import { signerOfByte } from '../unit/proof-fixtures.js'
import { NaiveTree, sha256 } from '../unit/tlog-trees.js'

type ReceiptLog = ReceiptsDeps['log']
export type NaiveLog = {
  readonly log: ReceiptLog
  /** Covers what is pending in the database by now, in its order, with a new checkpoint. */
  readonly publish: (sql: Sql) => Promise<void>
  /** Whom to trust. */
  readonly policy: string
  /** Those that wait for a checkpoint. */
  readonly waiting: () => number
}

export const LOG_ORIGIN = 'receipts.example/log1'

/**
 * The port of a log that publishes when a test says so, as RFC 6962 has it word for word: what the service's own log
 * makes of its tiles has to verify by the same rules.
 */
export function createNaiveLog(): NaiveLog {
  const signer = signerOfByte(9)
  const key = makeNoteKey(sha256, LOG_ORIGIN, 'note', signer.key)
  const policy = formatPolicy({ logs: [{ key, url: null }], witnesses: [], groups: [], quorum: null })
  if (policy.length > policyBytesMax || !parsePolicy(sha256, Buffer.from(policy)).ok) throw new Error('no policy')
  let entries: readonly string[] = []
  let checkpoint: Uint8Array | null = null
  const waiters = new Set<() => void>()

  const placeOf = (entry: Uint8Array) => {
    const index = entries.indexOf(Buffer.from(entry).toString('hex'))
    const leaves = entries.map((hex) => hashLeaf(sha256, Buffer.from(hex, 'hex')))
    return index === -1 ? null : { index, proof: new NaiveTree(leaves).path(index, leaves.length) }
  }
  const log: ReceiptLog = {
    append: insertPending,
    refuseWhileSuspended: () => undefined,
    waitLogged: (entry, _msMax, signal) =>
      new Promise((resolve) => {
        const look = () => {
          if (placeOf(entry) !== null) settle(true)
        }
        const settle = (isLogged: boolean) => {
          waiters.delete(look)
          resolve(isLogged)
        }
        waiters.add(look)
        signal?.addEventListener('abort', () => settle(false), { once: true })
        look()
      }),
    prove: async (entry) => {
      const place = placeOf(entry)
      return place === null || checkpoint === null ? null : { ...place, checkpoint }
    },
    snapshot: async () =>
      checkpoint === null ? null : { checkpoint, policy, prove: async (wanted) => wanted.map(placeOf) },
    promise: { origin: LOG_ORIGIN, max_merge_delay_seconds: 60 },
  }
  return {
    ...{ log, policy, waiting: () => waiters.size },
    publish: async (sql) => {
      const rows = await sql<{ entry: string }[]>`select encode(entry, 'hex') as entry from log_pending order by id`
      entries = rows.map(({ entry }) => entry)
      const leaves = entries.map((hex) => hashLeaf(sha256, Buffer.from(hex, 'hex')))
      const root = new NaiveTree(leaves).root(0, leaves.length)
      const text = formatCheckpoint({ origin: LOG_ORIGIN, size: leaves.length, root })
      checkpoint = formatNote({ text, signatures: [signNote({ key, sign: signer.sign }, text)] })
      for (const look of [...waiters]) look()
    },
  }
}
