/** One change of an alias, as a server tells it. */
export type Change = {
  /** The project's revision that made it. */
  readonly revision: number
  readonly op: 'upsert' | 'delete'
  readonly profile: string
  readonly alias: string
  readonly models?: readonly string[] | null
  readonly constraints?: Readonly<Record<string, unknown>> | null
}

/** What a server says to "what has changed since": changes, and where they lead to. */
export type Delta = {
  readonly epoch: string
  readonly revision: number
  /** What was known before is void. */
  readonly reset: boolean
  readonly changes: readonly Change[]
  /** Only of an event: the rest of it follows in the next one. */
  readonly more?: boolean
}

/** Where a reader of changes stands: revisions count anew in another epoch. */
export type Position = { readonly epoch: string; readonly revision: number }

export type Mirrored = {
  readonly models: readonly string[]
  readonly constraints: Readonly<Record<string, unknown>> | null
  readonly revision: number
}

/** A copy of one profile's aliases. */
export type Mirror = {
  /** Undefined before the first delta. */
  position(): Position | undefined
  /**
   * False if the delta does not continue what is known: then there is no position, the next delta has to be whole, and
   * until it comes the aliases stay as they were.
   */
  take(delta: Delta): boolean
  /** What this client itself changed, ahead of the delta that will tell the same. */
  note(change: Change): void
  find(alias: string): Mirrored | undefined
  list(): readonly (readonly [alias: string, bound: Mirrored])[]
}

/** Keeps the position of a reader that does not need the aliases. */
export function createMarker(): Pick<Mirror, 'position' | 'take'> {
  let position: Position | undefined
  return {
    position: () => position,
    take: ({ epoch, revision, reset }) => {
      const continues = reset || position === undefined || position.epoch === epoch
      position = continues ? { epoch, revision } : undefined
      return continues
    },
  }
}

export function createMirror(): Mirror {
  const aliases = new Map<string, Mirrored>()
  /** Revisions of deletions that a delta on its way may not know of yet. */
  const deleted = new Map<string, number>()
  let position: Position | undefined
  /** Whether what is here is of another epoch, so that its revisions say nothing. */
  let isStrange = false

  /** What this client did after a first, whole delta was made is newer than it. */
  const beginAnew = (revisionMin: number): void => {
    for (const [alias, bound] of aliases) if (bound.revision < revisionMin) aliases.delete(alias)
    for (const [alias, at] of deleted) if (at < revisionMin) deleted.delete(alias)
  }
  const note = ({ op, alias, revision, models, constraints }: Change): void => {
    const known = Math.max(aliases.get(alias)?.revision ?? 0, deleted.get(alias) ?? 0)
    if (revision < known) return
    deleted.delete(alias)
    if (op === 'upsert') aliases.set(alias, { models: models ?? [], constraints: constraints ?? null, revision })
    else {
      aliases.delete(alias)
      deleted.set(alias, revision)
    }
  }

  return {
    position: () => position,
    note,
    take: ({ epoch, revision, reset, changes }) => {
      if (!reset && position !== undefined && position.epoch !== epoch) {
        position = undefined
        isStrange = true
        return false
      }
      if (reset || isStrange) beginAnew(Number.POSITIVE_INFINITY)
      else if (position === undefined) beginAnew(revision)
      isStrange = false
      for (const change of changes) note(change)
      position = { epoch, revision: reset ? revision : Math.max(revision, position?.revision ?? 0) }
      for (const [alias, at] of deleted) if (at <= position.revision) deleted.delete(alias)
      return true
    },
    find: (alias) => aliases.get(alias),
    list: () => [...aliases].sort(([one], [other]) => (one < other ? -1 : 1)),
  }
}
