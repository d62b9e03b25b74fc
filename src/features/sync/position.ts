/** Where a change stands among all of its project's. */
type ChangePlace = { readonly revision: number; readonly profile: string; readonly alias: string }

/** What a follower has: everything up to the revision `since` of an epoch. */
export type Position = {
  /** Its first 8 characters are enough; undefined: not known. */
  readonly epoch: string | undefined
  readonly since: number
  /** The last change that it has of the revision behind `since`, if it has some of that one. */
  readonly after?: ChangePlace
}

/** The id of an event, a revision; with the beginning of its epoch in front, as entity tags have it, it is surer. */
const EVENT_ID = /^(?:([0-9a-f]{8})-)?(\d{1,15})$/
/** The beginning of no epoch: whoever comes with it gets everything anew. */
const NO_EPOCH = 'none'

/**
 * Where a follower says that it stands. `Last-Event-ID` is later than what stands in the address of a stream, which a
 * browser repeats; one that is none of ours tells nothing, so that its reader begins anew.
 */
export function readPosition(
  asked: { readonly since: number; readonly epoch?: string | undefined },
  lastEventId: string | undefined,
): Position {
  if (lastEventId === undefined || lastEventId === '') return { epoch: asked.epoch, since: asked.since }
  const [, epoch, digits] = EVENT_ID.exec(lastEventId) ?? []
  if (digits === undefined) return { epoch: NO_EPOCH, since: 0 }
  return { epoch: epoch ?? asked.epoch, since: Number(digits) }
}

/** The same text for followers who stand at the same place. */
export function placeKey({ epoch, since, after }: Position): string {
  const rest = after === undefined ? '' : JSON.stringify([after.revision, after.profile, after.alias])
  return `${epoch} ${since} ${rest}`
}
