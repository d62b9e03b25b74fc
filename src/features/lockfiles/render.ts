import { renderDifferences } from '../../core/lockfile/index.js'
import type { Meaning } from './compare.js'
import type { Put } from './put-lockfile.js'

/** What a published file did, or would do, as the pieces of JSON text. */
export function* renderPut(put: Put, dryRun: boolean): Generator<string> {
  const { revision, changed, digest, differences, text, warnings } = put
  const shown = JSON.stringify({ revision, changed, digest, dry_run: dryRun }).slice(0, -1)
  const rest = JSON.stringify({ lockfile: text, warnings }).slice(1)
  yield `${shown},"diff":`
  yield* renderDifferences(differences, membersOf)
  yield `,${rest}`
}

/** Constraints are JSON text already. */
function membersOf({ models, constraints }: Meaning): string {
  return `"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'}`
}
