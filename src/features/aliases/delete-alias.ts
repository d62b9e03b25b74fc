import type { AliasKey, Writer } from './alias.js'
import { type Believed, refuseOtherAlias } from './expectations.js'
import { type PublishDeps, type Published, publish } from './publish.js'

/**
 * Deletes an alias; `changed` says truthfully whether it was there. Throws `precondition-failed` if it is not what the
 * caller believes.
 */
export function deleteAlias(
  deps: PublishDeps,
  writer: Writer,
  key: AliasKey,
  { note, ...believed }: Believed & { readonly note?: string | undefined },
): Promise<Published> {
  return publish(deps, {
    ...{ writer, note, kind: 'write' },
    plan: async (tx, head) => {
      await refuseOtherAlias(deps.store, tx, head, key, believed)
      return { remove: [key] }
    },
  })
}
