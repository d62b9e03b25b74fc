import type { LockfileFormat } from '../../core/lockfile/index.js'
import type { Clock } from '../../platform/clock.js'
import { invariant } from '../../platform/invariant.js'
import type { Difference } from './compare.js'
import { type Decided, decide } from './decide.js'
import { fileToKeep } from './file-to-keep.js'
import type { Publish, Writer } from './publish.js'
import { readFile } from './read-file.js'
import type { LockfileStore } from './store.js'

export type PutDeps = {
  readonly publish: Publish
  readonly store: Pick<LockfileStore, 'bindingsIn' | 'lockIn'>
  readonly clock: Clock
}
export type PutInput = {
  readonly writer: Writer
  readonly text: string
  readonly format: LockfileFormat
  /** Undefined: the whole file decides, and what no profile of it binds is unbound. */
  readonly profile: string | undefined
  readonly expectedRevision: number | undefined
  readonly note: string | undefined
  readonly dryRun: boolean
}
export type Put = {
  readonly revision: number
  readonly changed: boolean
  /** Of the project's lockfile as it is now, or after a dry run as it would be. */
  readonly digest: string
  readonly differences: readonly Difference[]
  /** The file to keep. */
  readonly text: string
  readonly warnings: readonly string[]
}

/**
 * Publishes a lockfile, all of it or nothing, as one revision: bindings, their order, and what the file holds beside
 * them. A file that says what holds already changes nothing. Throws `validation-failed` with everything that is wrong
 * with the file, `precondition-failed`, and what publishing throws.
 */
export async function putLockfile(deps: PutDeps, input: PutInput): Promise<Put> {
  const { writer, profile, expectedRevision: expected, note, dryRun } = input
  const file = readFile(input)
  let decided: Decided | undefined
  const published = await deps.publish({
    ...{ writer, note, kind: 'lockfile' },
    expected:
      expected === undefined ? undefined : { revision: expected, profiles: profile === undefined ? [] : [profile] },
    plan: async (tx, head) => {
      const held = await deps.store.bindingsIn(tx, writer.projectId)
      const lock = await deps.store.lockIn(tx, writer.projectId, head.revision)
      decided = decide({ file: file.lockfile, profile, held, lock, head, now: new Date(deps.clock()) })
      return dryRun || !decided.changes ? {} : decided.plan
    },
  })
  invariant(decided !== undefined, 'a change is planned before it is published')
  const { result, changes, differences } = decided
  return {
    revision: published.revision,
    changed: dryRun ? changes : published.changed,
    digest: (dryRun ? undefined : published.lockDigest) ?? decided.digest(),
    differences,
    text: fileToKeep({ ...file, ...input }, result),
    warnings: file.warnings,
  }
}
