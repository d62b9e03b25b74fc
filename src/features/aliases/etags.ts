/** Tells one count of revisions from another: they begin anew after an erasure or a restore. */
const EPOCH_CHARACTERS = 8

/** Of a project that never had an alias. */
export const NO_EPOCH = '00000000-0000-0000-0000-000000000000'

/** The strong entity tag of an alias, or of a list, that was last changed at this revision. */
export function aliasEtag(epoch: string, revision: number): string {
  return `"${epoch.slice(0, EPOCH_CHARACTERS)}-${revision}"`
}
