import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import type { Reach } from '../../platform/reach.js'
import type { AliasKey } from './alias.js'
import { findListed, type ListedBytes, type Listing } from './alias-listing.js'
import { aliasEtag } from './etags.js'
import type { FindListed } from './listing-store.js'
import { renderListed } from './render.js'
import type { Keeper, Known } from './snapshots.js'
import type { MarkStale } from './stale-headers.js'

export type ShowDeps = {
  readonly lists: Keeper<Listing>
  readonly find: FindListed
  readonly reach: Reach
  /** Something of a profile was asked for. */
  readonly readAhead: (projectId: ProjectId, profile: string) => void
  readonly markStale: MarkStale
}
/** The body of the response, its strong entity tag, and how old it is where the database is away. */
export type ShownAlias = {
  readonly body: string | ListedBytes['bytes']
  readonly etag: string
  readonly staleSeconds: number | undefined
}

/**
 * An alias, from its profile's list where that is in memory, else by its own row: one that is asked for alone is no
 * reason to read all of them. Throws `not-found`.
 */
export async function showAlias(deps: ShowDeps, key: AliasKey): Promise<ShownAlias> {
  const { lists, find, reach, readAhead, markStale } = deps
  const inList = () => shownIn(lists.inMemory(key.projectId, key.profile), key, markStale)
  const known = inList()
  if (known !== undefined) return known
  try {
    const row = await reach.ask(() => find(key), true)
    readAhead(key.projectId, key.profile)
    if (row === undefined) throw missing(key)
    return { body: renderListed(row), etag: aliasEtag(row.epoch, row.revision), staleSeconds: undefined }
  } catch (error) {
    // It may have become clear only now that the database is away.
    const last = inList()
    if (last === undefined) throw error
    return last
  }
}

/** Throws `not-found` if the list is there, and the alias is not in it: of an old list, that is old, too. */
function shownIn(known: Known<Listing> | undefined, key: AliasKey, markStale: MarkStale): ShownAlias | undefined {
  if (known?.content.bytes === undefined) return undefined
  const { content, epoch, staleSeconds } = known
  const found = findListed(content, epoch, key.alias)
  if (found === undefined) throw missing(key, markStale({}, staleSeconds))
  return { body: found.bytes, etag: found.etag, staleSeconds }
}

const missing = ({ alias, profile }: AliasKey, headers = {}) =>
  new AppError('not-found', `No alias '${alias}' in profile '${profile}'.`, { headers })
