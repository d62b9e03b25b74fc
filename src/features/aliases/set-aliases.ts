import type { Announce } from '../../db/messages.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Alias, Binding, Writer } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'
import type { Snapshots } from './snapshots.js'
import type { AliasStore } from './store.js'
import type { Head, Written } from './write-store.js'

export type WriteDeps = {
  readonly transact: Transact
  readonly announce: Announce
  readonly store: AliasStore
  readonly snapshots: Pick<Snapshots, 'raiseFloor'>
  readonly clock: Clock
}

/**
 * Binds aliases, all or none: one transaction takes the project's next revision, writes the rows and their history and
 * tells every instance. Of several bindings of one alias the last one counts. Gives the alias where there is one.
 * Throws `conflict` at the project's number of aliases and `project-full` at its bytes.
 */
export async function setAliases(
  deps: WriteDeps,
  writer: Writer,
  bindings: readonly Binding[],
): Promise<Alias | undefined> {
  if (bindings.length === 0) return undefined
  const wanted = [
    ...new Map(bindings.map((binding) => [JSON.stringify([binding.profile, binding.alias]), binding])).values(),
  ]
  const { alias, revision } = await deps.transact(async (tx) => {
    const head = await deps.store.takeRevision(tx, writer.projectId)
    const written = await deps.store.write(tx, writer, head, wanted, new Date(deps.clock()))
    refuseExcess(head, written)
    await deps.announce(tx, { kind: 'aliases-changed', projectId: writer.projectId, revision: head.revision })
    return { alias: written.alias, revision: head.revision }
  })
  // Crash before this line: the commit stands, the caller does not know; binding the same again is harmless.
  deps.snapshots.raiseFloor(writer.projectId, revision)
  return alias
}

/** A write that makes the project smaller passes, wherever the project is. */
function refuseExcess(before: Head, after: Written): void {
  const { aliasesPerProjectMax, metadataBytesPerProjectMax, namesBytesPerProjectMax } = ALIAS_LIMITS
  if (after.aliasCount > Math.max(before.aliasCount, aliasesPerProjectMax)) {
    throw new AppError('conflict', `A project has at most ${aliasesPerProjectMax} aliases; nothing was written.`)
  }
  const refuse = (what: string, bytesMax: number): never => {
    const detail = `The ${what} of a project's aliases have at most ${bytesMax} bytes together; nothing was written.`
    throw new AppError('project-full', detail)
  }
  if (after.metadataBytes > Math.max(before.metadataBytes, metadataBytesPerProjectMax)) {
    refuse('metadata and constraints', metadataBytesPerProjectMax)
  }
  if (after.namesBytes > Math.max(before.namesBytes, namesBytesPerProjectMax)) {
    refuse('profiles, names and models', namesBytesPerProjectMax)
  }
}
