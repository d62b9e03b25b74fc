/** One alias that differs between two states; null where it is not bound. */
type Difference<Meaning> = {
  readonly profile: string
  readonly alias: string
  readonly before: Meaning | null
  readonly after: Meaning | null
}

/**
 * The member `diff` of what changes aliases, as JSON text: `added`, `changed` and `removed`. `membersOf` gives a meaning's
 * members as JSON text without braces.
 */
export function renderDifferences<Meaning>(
  differences: readonly Difference<Meaning>[],
  membersOf: (meaning: Meaning) => string,
): string {
  const added: string[] = []
  const changed: string[] = []
  const removed: string[] = []
  for (const { profile, alias, before, after } of differences) {
    const names = `"profile":${JSON.stringify(profile)},"alias":${JSON.stringify(alias)}`
    if (before === null && after !== null) added.push(`{${names},${membersOf(after)}}`)
    else if (after === null && before !== null) removed.push(`{${names},${membersOf(before)}}`)
    else if (before !== null && after !== null)
      changed.push(`{${names},"before":{${membersOf(before)}},"after":{${membersOf(after)}}}`)
  }
  return `{"added":[${added}],"changed":[${changed}],"removed":[${removed}]}`
}
