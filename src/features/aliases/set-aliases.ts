import type { Announce } from '../../db/messages.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Alias, Binding, Writer } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'
import type { Snapshots } from './snapshots.js'
import type { AliasStore } from './store.js'

export type WriteDeps = {
  readonly transact: Transact
  readonly announce: Announce
  readonly store: AliasStore
  readonly snapshots: Pick<Snapshots, 'raiseFloor'>
  readonly clock: Clock
}

/**
 * Binds aliases, all or none: one transaction takes the project's next revision, writes the rows and their history and
 * tells every instance. Of several bindings of one alias the last one counts. Throws `conflict` at the project's limit.
 */
export async function setAliases(deps: WriteDeps, writer: Writer, bindings: readonly Binding[]): Promise<Alias[]> {
  if (bindings.length === 0) return []
  const wanted = [
    ...new Map(bindings.map((binding) => [JSON.stringify([binding.profile, binding.alias]), binding])).values(),
  ]
  const written = await deps.transact(async (tx) => {
    const head = await deps.store.takeRevision(tx, writer.projectId)
    const aliases = await deps.store.write(tx, writer, head, wanted, new Date(deps.clock()))
    const added = aliases.filter((alias) => alias.id > head.lastId).length
    if (head.aliasCount + added > ALIAS_LIMITS.aliasesPerProjectMax) {
      throw new AppError(
        'conflict',
        `A project has at most ${ALIAS_LIMITS.aliasesPerProjectMax} aliases; nothing was written.`,
      )
    }
    await deps.announce(tx, { kind: 'aliases-changed', projectId: writer.projectId, revision: head.revision })
    return { aliases, revision: head.revision }
  })
  // Crash before this line: the commit stands, the caller does not know; binding the same again is harmless.
  deps.snapshots.raiseFloor(writer.projectId, written.revision)
  return written.aliases
}
