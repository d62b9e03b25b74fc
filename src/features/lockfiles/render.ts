import type { Difference, Meaning } from './compare.js'
import type { Put } from './put-lockfile.js'

/** What a published file did, or would do, as JSON text. */
export function renderPut(put: Put, dryRun: boolean): string {
  const { revision, changed, digest, differences, text, warnings } = put
  const shown = JSON.stringify({ revision, changed, digest, dry_run: dryRun }).slice(0, -1)
  const rest = JSON.stringify({ lockfile: text, warnings }).slice(1)
  return `${shown},"diff":${renderDifferences(differences)},${rest}`
}

function renderDifferences(differences: readonly Difference[]): string {
  const added: string[] = []
  const changed: string[] = []
  const removed: string[] = []
  for (const { profile, alias, before, after } of differences) {
    const names = `"profile":${JSON.stringify(profile)},"alias":${JSON.stringify(alias)}`
    if (before === null && after !== null) added.push(`{${names},${meaningOf(after)}}`)
    else if (after === null && before !== null) removed.push(`{${names},${meaningOf(before)}}`)
    else if (before !== null && after !== null)
      changed.push(`{${names},"before":{${meaningOf(before)}},"after":{${meaningOf(after)}}}`)
  }
  return `{"added":[${added}],"changed":[${changed}],"removed":[${removed}]}`
}

/** The members of a meaning: constraints are JSON text already. */
function meaningOf({ models, constraints }: Meaning): string {
  return `"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'}`
}
