/** The indices of a longest strictly increasing subsequence, in order. By patience sorting: n log n. */
export function longestIncreasing(values: readonly number[]): number[] {
  /** For each length, the index of the smallest value with which a subsequence of that length ends. */
  const ends: number[] = []
  const before = new Array<number>(values.length)
  values.forEach((value, index) => {
    const length = firstNotBelow(ends, values, value)
    before[index] = ends[length - 1] ?? -1
    ends[length] = index
  })
  const found: number[] = []
  for (let index = ends.at(-1) ?? -1; index !== -1; index = before[index] ?? -1) found.push(index)
  return found.reverse()
}

/** How many of the ends are below the value: they are in increasing order. */
function firstNotBelow(ends: readonly number[], values: readonly number[], value: number): number {
  let from = 0
  let to = ends.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((values[ends[middle] ?? 0] ?? 0) < value) from = middle + 1
    else to = middle
  }
  return from
}
