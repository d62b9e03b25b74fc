import type { AliasKey } from './alias.js'
import { answerOf, renderUnbound, type Snapshot, type Snapshots } from './snapshots.js'

/** What an alias means now, as the bytes of the answer. In memory on the warm path: no I/O, no promise. */
export function resolveAlias(snapshots: Pick<Snapshots, 'cached' | 'load'>, key: AliasKey): string | Promise<string> {
  const snapshot = snapshots.cached(key.projectId, key.profile)
  if (snapshot !== undefined) return lookUp(snapshot, key)
  return snapshots.load(key.projectId, key.profile, key.alias).then((loaded) => lookUp(loaded, key))
}

function lookUp(snapshot: Snapshot, { alias, profile }: AliasKey): string {
  return answerOf(snapshot, alias) ?? renderUnbound(alias, profile, snapshot.revision)
}
