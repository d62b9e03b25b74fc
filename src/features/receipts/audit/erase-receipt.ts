import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import type { ReceiptIdentity } from '../receipt.js'
import type { ErasureStore } from './erasure-store.js'

export type EraseDeps = { readonly store: Pick<ErasureStore, 'erase'>; readonly clock: Clock }

/**
 * Takes the body of a receipt away and gives its log entry, which stays: every proof still holds, and the chain shows
 * no gap. Throws `not-found` if it is missing, or another project's.
 */
export async function eraseReceipt({ store, clock }: EraseDeps, identity: ReceiptIdentity): Promise<Uint8Array> {
  const erased = await store.erase(identity, new Date(clock()))
  if (erased === undefined) throw new AppError('not-found', 'There is no such receipt.')
  return erased.entry
}
