/** One fault of the driver, and the places of one of its files that are changed to end it. */
export type Repair = {
  /** Short, for messages and tests. */
  readonly name: string
  /** What happened without the repair. */
  readonly fault: string
  /** In the package's `cjs/src/`. */
  readonly file: string
  /** Each `find` stands in the file exactly once. */
  readonly edits: readonly { readonly find: string; readonly replace: string }[]
}

/** Makes the repairs of one file. */
export const repairsOf =
  (file: string) =>
  (name: string, fault: string, ...edits: Repair['edits']): Repair => ({ name, fault, file, edits })

/** The text of one of the driver's files with its repairs. Throws unless every place is there exactly once. */
export function repairText(file: string, text: string, repairs: readonly Repair[]): string {
  let repaired = text
  for (const repair of repairs.filter((one) => one.file === file)) {
    for (const { find, replace } of repair.edits) {
      const found = repaired.split(find).length - 1
      if (found !== 1) {
        throw new Error(`The driver's ${file} has the place for the repair '${repair.name}' ${found} times, not once.`)
      }
      // A function: in a replacement text a `$` would have a meaning.
      repaired = repaired.replace(find, () => replace)
    }
  }
  return repaired
}
