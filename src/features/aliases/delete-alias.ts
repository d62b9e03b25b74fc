import type { AliasKey, Writer } from './alias.js'
import type { WriteDeps } from './set-aliases.js'

/** Deletes an alias; says truthfully whether it was there. Nothing changes, not even the revision, if it was not. */
export async function deleteAlias(deps: WriteDeps, writer: Writer, key: AliasKey): Promise<boolean> {
  const revision = await deps.transact(async (tx) => {
    const taken = await deps.store.remove(tx, writer, key, new Date(deps.clock()))
    if (taken !== undefined) {
      await deps.announce(tx, { kind: 'aliases-changed', projectId: key.projectId, revision: taken })
    }
    return taken
  })
  if (revision !== undefined) deps.snapshots.raiseFloor(key.projectId, revision)
  return revision !== undefined
}
