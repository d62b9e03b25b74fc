/** Tells one count of revisions from another: they begin anew after an erasure or a restore. */
const EPOCH_CHARACTERS = 8

/** The strong entity tag of an alias, or of a list, that was last changed at this revision. */
export function aliasEtag(epoch: string, revision: number): string {
  return `"${epoch.slice(0, EPOCH_CHARACTERS)}-${revision}"`
}
