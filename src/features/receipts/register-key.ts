import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { sameBytes } from './receipt.js'
import { KeyConfigurationError, type SigningKey } from './signing-keys.js'
import type { KeyStore } from './store.js'

export type RegisterDeps = {
  readonly transact: Transact
  readonly store: Pick<KeyStore, 'lock' | 'find' | 'insert' | 'endOthers'>
  readonly clock: Clock
}

/** Since when another key is the newest one; null if this one is. */
export type Registration = { readonly endedAt: Date | null }

/**
 * Writes down the key that this instance signs with. A key that was never seen before ends all others at this moment;
 * one that is listed already changes nothing, so that instances which restart with the old and the new key during a
 * rollout do not end each other's. A key that only verifies is not written down: it never signed here.
 * Throws `KeyConfigurationError` if the key id already stands for another public key.
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
    await deps.store.insert(tx, {
      keyId: key.keyId,
      publicKey: key.publicKey.bytes,
      notBefore: now,
      notAfter: null,
    })
    await deps.store.endOthers(tx, key.keyId, now)
    // Crash before the commit: nothing changed and nothing was signed. After it: a listed key without receipts.
    return { endedAt: null }
  })
}
