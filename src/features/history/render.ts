import { renderDifferences } from '../../core/lockfile/index.js'
import type { Changed, Meaning } from './change.js'

/** What a change did, or would do, as the pieces of JSON text. */
export function* renderChanged({ changed, revision, differences }: Changed, dryRun: boolean): Generator<string> {
  const shown = JSON.stringify({ revision, changed, dry_run: dryRun }).slice(0, -1)
  yield `${shown},"diff":`
  yield* renderDifferences(differences, membersOf)
  yield '}'
}

/** Constraints and metadata are JSON texts already. */
function membersOf({ models, constraints, metadata }: Meaning): string {
  return `"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'},"metadata":${metadata ?? 'null'}`
}
