import { invariant } from '../../platform/invariant.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { type Believed, refuseOtherAlias } from './expectations.js'
import { type PublishDeps, type Published, publish } from './publish.js'

export type BoundAlias = { readonly alias: Alias; readonly published: Published }

/** Binds one alias, and gives it as it is then. Throws `precondition-failed` if it is not what the caller believes. */
export async function setAlias(
  deps: PublishDeps,
  writer: Writer,
  binding: Binding,
  { note, ...believed }: Believed & { readonly note?: string | undefined },
): Promise<BoundAlias> {
  const key: AliasKey = { projectId: writer.projectId, profile: binding.profile, alias: binding.alias }
  let held: Alias | undefined
  const published = await publish(deps, {
    ...{ writer, note, kind: 'write' },
    plan: async (tx, head) => {
      await refuseOtherAlias(deps.store, tx, head, key, believed)
      return { set: [binding] }
    },
    after: async (tx, { alias }) => {
      held = alias ?? (await deps.store.findIn(tx, key))
    },
  })
  invariant(held !== undefined, 'an alias that was set is there')
  return { alias: held, published }
}

/** Binds aliases, all or none. Throws `precondition-failed` if a profile changed after the expected revision. */
export function setAliases(
  deps: PublishDeps,
  writer: Writer,
  bindings: readonly Binding[],
  { note, expectedRevision }: { readonly note?: string | undefined; readonly expectedRevision?: number | undefined },
): Promise<Published> {
  const profiles = [...new Set(bindings.map(({ profile }) => profile))]
  return publish(deps, {
    ...{ writer, note, kind: 'write' },
    expected: expectedRevision === undefined ? undefined : { revision: expectedRevision, profiles },
    plan: () => ({ set: bindings }),
  })
}
