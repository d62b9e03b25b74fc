import type { Changed, Meaning } from './change.js'

/** What a change did, or would do, as JSON text. */
export function renderChanged({ changed, revision, differences }: Changed, dryRun: boolean): string {
  const added: string[] = []
  const removed: string[] = []
  const altered: string[] = []
  for (const { profile, alias, before, after } of differences) {
    const names = `"profile":${JSON.stringify(profile)},"alias":${JSON.stringify(alias)}`
    if (before === null && after !== null) added.push(`{${names},${meaningOf(after)}}`)
    else if (after === null && before !== null) removed.push(`{${names},${meaningOf(before)}}`)
    else if (before !== null && after !== null)
      altered.push(`{${names},"before":{${meaningOf(before)}},"after":{${meaningOf(after)}}}`)
  }
  const shown = JSON.stringify({ revision, changed, dry_run: dryRun }).slice(0, -1)
  return `${shown},"diff":{"added":[${added}],"changed":[${altered}],"removed":[${removed}]}}`
}

/** The members of a meaning: constraints and metadata are JSON texts already. */
function meaningOf({ models, constraints, metadata }: Meaning): string {
  return `"models":${JSON.stringify(models)},"constraints":${constraints ?? 'null'},"metadata":${metadata ?? 'null'}`
}
