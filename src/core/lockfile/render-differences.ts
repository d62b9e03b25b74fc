/** One alias that differs between two states; null where it is not bound. */
type Difference<Meaning> = {
  readonly profile: string
  readonly alias: string
  readonly before: Meaning | null
  readonly after: Meaning | null
}

/**
 * The member `diff` of what changes aliases, as JSON text: `added`, `changed` and `removed`. In pieces, since it may be
 * megabytes that are needed as one text nowhere. `membersOf` gives a meaning's members as JSON text without braces.
 */
export function* renderDifferences<Meaning>(
  differences: readonly Difference<Meaning>[],
  membersOf: (meaning: Meaning) => string,
): Generator<string> {
  const namesOf = ({ profile, alias }: Difference<Meaning>) =>
    `"profile":${JSON.stringify(profile)},"alias":${JSON.stringify(alias)}`
  yield '{"added":['
  yield* listed(differences, (one) => {
    const { before, after } = one
    return before === null && after !== null ? `{${namesOf(one)},${membersOf(after)}}` : undefined
  })
  yield '],"changed":['
  yield* listed(differences, (one) => {
    const { before, after } = one
    if (before === null || after === null) return undefined
    return `{${namesOf(one)},"before":{${membersOf(before)}},"after":{${membersOf(after)}}}`
  })
  yield '],"removed":['
  yield* listed(differences, (one) => {
    const { before, after } = one
    return after === null && before !== null ? `{${namesOf(one)},${membersOf(before)}}` : undefined
  })
  yield ']}'
}

function* listed<Item>(items: readonly Item[], render: (item: Item) => string | undefined): Generator<string> {
  let isFirst = true
  for (const item of items) {
    const text = render(item)
    if (text === undefined) continue
    yield isFirst ? text : `,${text}`
    isFirst = false
  }
}
