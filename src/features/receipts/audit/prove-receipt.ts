import { AppError } from '../../../platform/errors.js'
import type { LoggedEntry, ReceiptLog } from '../log-port.js'
import type { ReceiptIdentity } from '../receipt.js'
import type { ReceiptStore } from '../store.js'

export type ProveDeps = { readonly store: Pick<ReceiptStore, 'findEntry'>; readonly log: Pick<ReceiptLog, 'prove'> }

/**
 * That a receipt is in the log. Throws `not-found` where it is missing or another project's, `not-logged-yet` while no
 * published checkpoint covers it, and `log-suspended`.
 */
export async function proveReceipt({ store, log }: ProveDeps, identity: ReceiptIdentity): Promise<LoggedEntry> {
  const entry = await store.findEntry(identity)
  if (entry === undefined) throw new AppError('not-found', 'There is no such receipt.')
  const proof = await log.prove(entry)
  if (proof !== null) return proof
  throw notLogged('The receipt waits for its place in the log; the next checkpoint covers it.')
}

/** `not-logged-yet`, with the time after which it is. */
export function notLogged(detail: string): AppError {
  return new AppError('not-logged-yet', detail, { retryAfterSeconds: 1 })
}
