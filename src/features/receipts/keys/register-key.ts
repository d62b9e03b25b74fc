import { buildKeyStatement, signReceipt } from '../../../core/proof/index.js'
import type { Transact, Tx } from '../../../db/transact.js'
import type { Clock } from '../../../platform/clock.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import type { ReceiptLog } from '../log-port.js'
import { sameBytes } from '../receipt.js'
import type { KeyRow, KeyStore } from '../store.js'
import { KeyConfigurationError, LOST_KEY, type PreviousKey, type SigningKey } from './signing-keys.js'
import type { createStatementStore } from './statement-store.js'

export type RegisterDeps = {
  readonly transact: Transact
  readonly store: Pick<KeyStore, 'lock' | 'find' | 'newest' | 'insert' | 'endOthers'>
  readonly statements: Pick<ReturnType<typeof createStatementStore>, 'insertStatement'>
  readonly log: Pick<ReceiptLog, 'append'>
  readonly clock: Clock
  /** The log's origin. */
  readonly issuer: string
  /** The key that signed before, `lost`, or undefined if the settings do not name it. */
  readonly previous: PreviousKey | undefined
}

/** Since when another key is the newest one; null if this one is. */
export type Registration = { readonly endedAt: Date | null }

/**
 * Writes down the key that this instance signs with. A key that was never seen before ends all others at this moment,
 * and the newest of them says so in a statement that the log holds; one that is listed already changes nothing, so that
 * instances which restart with the old and the new key during a rollout do not end each other's. A key that only
 * verifies is not written down: it never signed here. Throws `KeyConfigurationError` if the key id already stands for
 * another public key, and if a new key comes without the old one that has to say so.
 */
export function registerKey(deps: RegisterDeps, key: SigningKey): Promise<Registration> {
  return deps.transact(async (tx) => {
    await deps.store.lock(tx)
    const listed = await deps.store.find(tx, key.keyId)
    if (listed !== undefined) {
      if (sameBytes(listed.publicKey, key.publicKey.bytes)) return { endedAt: listed.notAfter }
      throw new KeyConfigurationError(
        `LLMRING_RECEIPTS_KEY_ID: '${key.keyId}' already names another public key in this database; receipts were signed with that one. Choose another id for the new key.`,
      )
    }
    if (key.sign === null) return { endedAt: null }
    const now = new Date(deps.clock())
    await stateChange(deps, tx, key, now)
    await deps.store.insert(tx, {
      keyId: key.keyId,
      publicKey: key.publicKey.bytes,
      notBefore: now,
      notAfter: null,
    })
    await deps.store.endOthers(tx, key.keyId, now)
    // Crash before the commit: nothing changed and nothing was signed. After it: a listed key without receipts, and the
    // statement that it follows the old one is in the log, or will be.
    return { endedAt: null }
  })
}

/** The first key states itself, every other one is stated by the one before. */
async function stateChange(deps: RegisterDeps, tx: Tx, key: SigningKey, at: Date): Promise<void> {
  const old = await deps.store.newest(tx)
  const sign = old === undefined ? key.sign : signerOf(deps.previous, old, key)
  invariant(sign !== null, 'a key that is registered signs')
  const oldKeyId = old === undefined || deps.previous === LOST_KEY ? null : old.keyId
  const change = { issuer: deps.issuer, oldKeyId, newKeyId: key.keyId, newKey: key.publicKey, at }
  const signed = signReceipt({ sign }, buildKeyStatement(change))
  invariant(signed.ok, 'a statement has a canonical form')
  const entry = sha256(signed.bytes)
  await deps.statements.insertStatement(tx, { entry, kind: 'key-statement/v1', canonical: signed.bytes, statedAt: at })
  await deps.log.append(tx, [entry])
}

function signerOf(previous: PreviousKey | undefined, old: KeyRow, key: SigningKey) {
  if (previous === LOST_KEY) return key.sign
  if (previous !== undefined && sameBytes(previous.publicKey.bytes, old.publicKey)) return previous.sign
  const found = previous === undefined ? 'is not set' : 'is another key'
  throw new KeyConfigurationError(
    `Receipts would be signed with a new key, '${key.keyId}', but the one before, '${old.keyId}', has not said so: LLMRING_RECEIPTS_PRIVATE_KEY_PREVIOUS_B64 ${found}. Set it to the private key '${old.keyId}' for the first start with the new one (\`llmring-server signing-key rotate\` says how). If that key is lost, set it to \`lost\`: the log will show that the new key was not stated by the old one.`,
  )
}
