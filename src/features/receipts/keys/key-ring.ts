import { checkPublicKey, type PublicKey } from '../../../core/ed25519/index.js'
import type { KnownKeys } from '../../../core/proof/index.js'
import type { Clock } from '../../../platform/clock.js'
import { deadline } from '../../../platform/deadline.js'
import { AppError } from '../../../platform/errors.js'
import { describeError, type Logger } from '../../../platform/logger.js'
import { RECEIPT_LIMITS } from '../limits.js'
import { sameBytes } from '../receipt.js'
import type { KeyRow } from '../store.js'
import type { SigningKey } from './signing-keys.js'

/** A key that signs or signed. The times are null for one that only verifies here and was never listed. */
export type ListedKey = {
  readonly keyId: string
  readonly publicKey: PublicKey
  readonly notBefore: Date | null
  readonly notAfter: Date | null
}

export type KeyRingDeps = {
  readonly own: SigningKey | null
  readonly listKeys: () => Promise<readonly KeyRow[]>
  readonly clock: Clock
  readonly logger: Logger
}

export type KeyRing = {
  readonly own: SigningKey | null
  /** The keys a receipt may verify under: ours first, then the newest. */
  known(): KnownKeys
  listed(): readonly ListedKey[]
  /** Reads the keys that all instances registered. */
  load(): Promise<void>
  /** `load`, unless the last try is younger than `keysReloadMsMin`. Throws what the last try threw. */
  refresh(): Promise<void>
}

/** The keys that this instance knows. Those of other instances are learnt when a receipt or a reader asks for one. */
export function createKeyRing(deps: KeyRingDeps): KeyRing {
  const { own } = deps
  const self = own === null ? [] : [{ keyId: own.keyId, publicKey: own.publicKey, notBefore: null, notAfter: null }]
  let listed: readonly ListedKey[] = self
  let known: KnownKeys = indexOf(listed)
  let lastTry: { readonly at: number; readonly outcome: Promise<void> } | undefined
  let begun = 0
  let installed = 0
  let isReadable = true

  const read = async (): Promise<void> => {
    begun += 1
    const mineBegun = begun
    const rows = await deps.listKeys()
    // A slow answer must not take back what a later, quicker one brought.
    if (mineBegun < installed) return
    installed = mineBegun
    const fresh = checkRows(deps, known, rows)
    const mine = fresh.find((key) => key.keyId === own?.keyId)
    listed = mine === undefined ? [...self, ...fresh] : [mine, ...fresh.filter((key) => key !== mine)]
    known = indexOf(listed)
  }
  /** Bounded: a lost Postgres does not refuse, it keeps its callers waiting. Of an outage the begin is logged. */
  const look = async (): Promise<void> => {
    try {
      await deadline(read(), RECEIPT_LIMITS.keysReadMsMax, unavailable)
      isReadable = true
    } catch (error) {
      if (isReadable) deps.logger.warn({ error: describeError(error) }, 'could not look for new receipts keys')
      isReadable = false
      throw error
    }
  }
  const attempt = (outcome: Promise<void>): Promise<void> => {
    lastTry = { at: deps.clock(), outcome }
    return outcome
  }
  return {
    own,
    known: () => known,
    listed: () => listed,
    load: () => attempt(read()),
    refresh: () => {
      const age = deps.clock() - (lastTry?.at ?? Number.NEGATIVE_INFINITY)
      // A clock that was set back must not keep us from looking.
      if (lastTry !== undefined && age >= 0 && age < RECEIPT_LIMITS.keysReloadMsMin) return lastTry.outcome
      return attempt(look())
    },
  }
}

const unavailable = () =>
  new AppError('database-unavailable', 'The keys of receipts cannot be read right now.', { retryAfterSeconds: 1 })

/** A row that fails the verification rule was not written by us: it verifies nothing. */
function checkRows(deps: KeyRingDeps, known: KnownKeys, rows: readonly KeyRow[]): ListedKey[] {
  return rows.flatMap(({ keyId, publicKey, notBefore, notAfter }) => {
    const before = known.get(keyId)
    // The check takes a millisecond, and what a verifier keeps hangs on the key's identity.
    if (before !== undefined && sameBytes(before.bytes, publicKey)) {
      return [{ keyId, publicKey: before, notBefore, notAfter }]
    }
    const checked = checkPublicKey(publicKey)
    if (checked.ok) return [{ keyId, publicKey: checked.key, notBefore, notAfter }]
    deps.logger.error({ key_id: keyId, reason: checked.reason }, 'a listed receipts key is not safe; it is ignored')
    return []
  })
}

const indexOf = (keys: readonly ListedKey[]): KnownKeys => new Map(keys.map((key) => [key.keyId, key.publicKey]))
