import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import type { ProjectStore } from './store.js'

export type RevokeKeyDeps = { readonly transact: Transact; readonly store: ProjectStore; readonly forget: () => void }

/** Revokes a key: refused here at once, elsewhere within two seconds. False if it was not there or revoked already. */
export async function revokeKey(
  deps: RevokeKeyDeps,
  projectId: ProjectId | undefined,
  keyId: string,
): Promise<boolean> {
  const revoked = await deps.transact((tx) => deps.store.revokeKey(tx, projectId, keyId))
  if (revoked) deps.forget()
  return revoked
}
